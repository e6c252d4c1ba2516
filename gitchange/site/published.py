"""The folder of a published site: what may be replaced, and what is kept beside it.

Without MkDocs, which takes longer to load than to see that nothing is new.
"""

from __future__ import annotations

import json
from pathlib import Path

from gitchange.errors import UsageError
from gitchange.site import urls


def made_from(output: Path) -> Path:
    """Where a scheduled rebuild keeps from what it made the site; every build removes it before it publishes."""
    return output.parent / f".{output.name}.inputs"


def lock_of(output: Path) -> Path:
    """The file that a scheduled rebuild locks, so that there is one at a time."""
    return output.parent / f".{output.name}.lock"


def refuse_foreign(output: Path) -> None:
    """Publishing replaces a folder: it must be new, empty or a site of ours."""
    if not output.exists():
        return
    if not output.is_dir():
        raise UsageError(f"{output} is no folder", hint="name the folder in which the site is to be")
    if all(
        path.name in urls.RUNS for path in output.iterdir()
    ):  # a first rebuild that failed leaves them alone
        return
    try:
        manifest = json.loads((output / urls.MANIFEST).read_bytes())
        is_site = isinstance(manifest, dict) and "format" in manifest
    except (OSError, ValueError):
        is_site = False
    if not is_site or (output / ".git").exists():
        raise UsageError(
            f"{output} holds something else than a generated site, and would be replaced",
            hint="name a new or an empty folder",
        )


def is_whole(output: Path) -> bool:
    """Whether a site of ours is there."""
    return all((output / name).is_file() for name in (urls.HOME, urls.MANIFEST, urls.PAGES))
