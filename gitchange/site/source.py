"""Where a site's data comes from: the one place that asks for the assessment of a repository."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gitchange.assessment.assess import Tell
    from gitchange.site.site import Site


def load(
    repository: Path,
    now: dt.datetime | None = None,
    *,
    introduction: str | None = None,
    at: str | None = None,
    tell: Tell | None = None,
) -> Site:
    """The state of the repository that holds this folder; with `at`, as it was known then.

    Without `now` it is judged for the moment of its newest commit, or for SOURCE_DATE_EPOCH
    (https://reproducible-builds.org/specs/source-date-epoch/) where that is set: what is built from given commits is
    then the same on any day. What passes until a reader looks is for the pages to tell (`data-due`).

    Imported late: MkDocs loads every installed plugin, and assessing needs git and cryptography.
    """
    from gitchange.assessment.assess import Assessor, newest_moment  # noqa: PLC0415
    from gitchange.assessment.results import recorded  # noqa: PLC0415
    from gitchange.assessment.verification import verify_repository  # noqa: PLC0415
    from gitchange.git.repository import Repository  # noqa: PLC0415
    from gitchange.index import refresh  # noqa: PLC0415
    from gitchange.site.catalogue import Catalogue  # noqa: PLC0415
    from gitchange.site.site import Site  # noqa: PLC0415

    opened = Repository.open(repository)
    moment = now or given_moment() or newest_moment(opened)
    if at is None:
        taken = refresh.snapshot(opened, moment, introduction, tell)
        catalogue = Catalogue.at(taken.path, taken.state, opened.blob) if taken is not None else None
        if taken is not None and catalogue is not None:
            return Site(taken.overview, catalogue, taken.verification, taken.recorded)
    assessor = Assessor(opened, moment, introduction=introduction, at=at)
    assessor.tell = tell
    catalogue = Catalogue.of(assessor.each(), opened.blob)
    kept = tuple(one.shown for one in recorded(assessor))
    return Site(assessor.overview(judged=False), catalogue, verify_repository(assessor), kept)


def given_moment() -> dt.datetime | None:
    """The moment that the environment names.

    A plain `mkdocs build` has no command line of ours in front of it, so this is its edge.
    """
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    return dt.datetime.fromtimestamp(int(epoch), dt.UTC) if epoch else None
