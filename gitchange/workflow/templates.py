"""`init --forge`: the template of merge requests, and in an application's repository the gate for its pipeline."""

from __future__ import annotations

from pathlib import Path

from gitchange.errors import UsageError
from gitchange.forges import gates
from gitchange.forges.templates import NEXT, PATHS, TEMPLATE, Forge
from gitchange.git import program
from gitchange.model.policy import POLICY_FILE, ROOT
from gitchange.workflow.laying_down import Written, lay_down


def write_templates(forge: Forge, folder: Path, *, overwrite: bool = False) -> Written:
    """Write the template where the forge looks for it, at the top of the clone in which `folder` is; and the gate.

    A configuration repository deploys nothing and has no gate. UsageError where there is no work tree. What is there
    stays, unless it is to be overwritten.
    """
    told = program.run(folder, "rev-parse", "--show-toplevel", check=False) if folder.is_dir() else None
    if told is None or told.returncode != 0:
        raise UsageError(
            f"there is no clone with a work tree at {folder}",
            hint="`gitchange init --forge FORGE DIR` names the one it is for",
        )
    top = Path(told.stdout.decode(errors="surrogateescape").rstrip("\n"))
    files, further = {top / PATHS[forge]: TEMPLATE}, NEXT[forge]
    if not (top / ROOT / POLICY_FILE).is_file():
        files[top / gates.PATHS[forge]] = gates.TEXTS[forge]
        further += gates.NEXT[forge]
    return lay_down(files, further, overwrite=overwrite)
