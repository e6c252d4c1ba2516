"""`init --forge`: the template of merge requests, in the configuration repository or an application's."""

from __future__ import annotations

from pathlib import Path

from gitchange.errors import UsageError
from gitchange.forges.templates import NEXT, PATHS, TEMPLATE, Forge
from gitchange.git import program
from gitchange.workflow.laying_down import Written, lay_down


def write_templates(forge: Forge, folder: Path, *, overwrite: bool = False) -> Written:
    """Write the template where the forge looks for it, at the top of the clone in which `folder` is.

    UsageError where there is no work tree. What is there stays, unless it is to be overwritten.
    """
    told = program.run(folder, "rev-parse", "--show-toplevel", check=False) if folder.is_dir() else None
    if told is None or told.returncode != 0:
        raise UsageError(
            f"there is no clone with a work tree at {folder}",
            hint="`gitchange init --forge FORGE DIR` names the one it is for",
        )
    top = Path(told.stdout.decode(errors="surrogateescape").rstrip("\n"))
    return lay_down({top / PATHS[forge]: TEMPLATE}, NEXT[forge], overwrite=overwrite)
