"""The edge: where errors become messages and exit codes, once for all commands.

0 yes · 1 a negative verdict · 2 usage · 3 could not decide or could not do it · 4 a bug · 130
interrupted (DESIGN.md section 5).
"""

from __future__ import annotations

import os
import sys

import click

from gitchange import __version__
from gitchange.cli.terminal import complain
from gitchange.errors import GitchangeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def guarded(work: Callable[[], Any]) -> int:
    """Run a command and turn whatever happens into an exit code."""
    try:
        result = work()
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.exceptions.Abort, KeyboardInterrupt):
        complain("interrupted; nothing that was finished is lost")
        return 130
    except BrokenPipeError:
        # The reader of our output has seen enough (`gitchange list | head`).
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except GitchangeError as error:
        complain(error.message, error.hint)
        return error.exit_code
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        complain(
            f"{place}{error.strerror or error}", "nothing that was finished is lost; mend it and run again"
        )
        return 3
    except Exception as error:  # a bug: whatever it is, say so and keep the details
        import tempfile  # noqa: PLC0415 - for the sake of start-up time
        import traceback  # noqa: PLC0415

        with tempfile.NamedTemporaryFile(
            "w", prefix="gitchange-", suffix=".log", delete=False, encoding="utf-8"
        ) as log:
            log.write(f"gitchange {__version__}, Python {sys.version}\narguments: {sys.argv[1:]!r}\n\n")
            log.write(traceback.format_exc())
        complain(f"this is a bug in gitchange: {type(error).__name__}: {error}", f"details are in {log.name}")
        return 4
