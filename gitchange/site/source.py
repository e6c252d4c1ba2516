"""Where a site's data comes from: the one place that asks for the assessment of a repository."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gitchange.assessment.overview import Overview


def load(
    repository: Path, now: dt.datetime, *, introduction: str | None = None, at: str | None = None
) -> Overview:
    """The state of the repository that holds this folder, judged for that moment; with `at`, as it was known then.

    Imported late: MkDocs loads every installed plugin, and assessing needs git and cryptography.
    """
    from gitchange.assessment.assess import overview  # noqa: PLC0415

    return overview(repository, now, introduction=introduction, at=at)


def moment() -> dt.datetime:
    """The moment for which a site is judged when nobody names one.

    A plain `mkdocs build` has no command line of ours in front of it, so this is its edge: the clock,
    or SOURCE_DATE_EPOCH (https://reproducible-builds.org/specs/source-date-epoch/) where it is set.
    """
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    return dt.datetime.fromtimestamp(int(epoch), dt.UTC) if epoch else dt.datetime.now(dt.UTC)
