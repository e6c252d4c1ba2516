"""The way in: what the index can answer is answered at once; for everything else the program is loaded.

Start-up is part of the product: a list should take hardly longer than Python takes to start.
"""

from __future__ import annotations

import os
import sys

from gitchange.cli import quick


def entry(arguments: list[str] | None = None) -> None:
    """Run the program and exit with its code."""
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """Run the program; its exit code: see `gitchange.cli.edge`."""
    given = sys.argv[1:] if arguments is None else arguments
    code = quick.answer(given)
    if code is not None:
        return code
    # It would look through all that is installed.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    from gitchange.cli import edge, program  # noqa: PLC0415 - they take longer than the answer

    return edge.guarded(
        lambda: program.program.main(args=given, prog_name="gitchange", standalone_mode=False)
    )
