"""The shapes in which the state of changes is handed to the command line and the site."""

from __future__ import annotations

from gitchange.values import Value, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    import datetime as dt
    from typing import Literal

    from gitchange.lifecycle.verdict import Verdict
    from gitchange.model.change import Change
    from gitchange.model.evidence import Evidence, SignOff
    from gitchange.model.finding import Finding
    from gitchange.model.policy import Policy
    from gitchange.model.record import Record


class Version(Value):
    """One commit that touched a change file."""

    commit: str
    author_name: str
    author_email: str
    time: dt.datetime
    """Committer time, with its offset."""
    subject: str
    """First line of the commit message."""
    blob: str
    """Id of the file after this commit; empty when the commit removed it."""
    kind: Literal["requested", "edited", "documented", "removed"]


class Assessment(Value):
    """One change file, judged."""

    path: str
    raw: bytes
    """The whole file as it stands, the record included."""
    change: Change | None
    """None when the file cannot be read; then `findings` says why and there is no verdict."""
    evidence: Evidence | None
    verdict: Verdict | None
    policy: Policy | None
    """The policy that judged: for a documented change the one in force when it was recorded."""
    history: tuple[Version, ...]
    """Newest first."""
    findings: tuple[Finding, ...]
    """All findings about this change, the verdict's included."""
    verified_from: Literal["notes", "record"] = "notes"
    """Where the sign-offs were read: the notes, or, of a documented change, its record."""

    @property
    def id(self) -> str:
        """The change's id, from its path when the file cannot be read."""
        return self.change.id if self.change else self.path.rsplit("/", 1)[-1].removesuffix(".toml")

    @property
    def status(self) -> str:
        """The computed status; `unreadable` when there is none."""
        return self.verdict.status if self.verdict else "unreadable"

    @property
    def record(self) -> Record | None:
        """What documentation appended."""
        return self.change.record if self.change else None

    @property
    def sign_offs(self) -> tuple[SignOff, ...]:
        """Every genuine sign-off, on the current and on earlier texts."""
        if self.evidence is None:
            return ()
        return (*self.evidence.sign_offs, *self.evidence.stale)

    def counts(self, sign_off: SignOff) -> bool:
        """Whether this sign-off counts towards the verdict."""
        return self.verdict is not None and any(s is sign_off for s in self.verdict.counting)


class PolicyVersion(Value):
    """A stretch of the branch of record under one policy folder."""

    commit: str
    """The first commit that has it."""
    moment: dt.datetime
    """When that was, by the branch's clock."""
    policy: Policy | None
    """None when it was not to be trusted: then nothing was decided by it."""
    approved_by: tuple[str, ...]
    """Who approved it under the policy before; nobody for the first."""
    findings: tuple[Finding, ...]


class Overview(Value):
    """The state of a configuration repository at one moment."""

    title: str
    """The company's or the repository's title, from gitchange.toml."""
    main: str
    """Commit at the tip of the branch of record."""
    notes: str | None
    """Tip of the notes; None when nothing was signed."""
    introduction: str
    """The pinned first commit; its id names this repository in every sign-off."""
    policy: Policy | None
    findings: tuple[Finding, ...]
    """Findings about the repository as a whole."""
    assessments: tuple[Assessment, ...]
    """All changes, newest first."""
    now: dt.datetime
    """The moment for which everything was judged."""
    commit_time: dt.datetime
    """Committer time of `main`: the date that a reproducible site carries."""
    policies: tuple[PolicyVersion, ...] = ()
    """How the policy came to be, oldest first."""
    links: dict[str, str] = field(default_factory=dict)
    """`[links]` of gitchange.toml: e.g. `forge`, the address of the repository's web page."""

    @property
    def all_findings(self) -> tuple[Finding, ...]:
        """Those of the repository and those of every change."""
        return (*self.findings, *(f for a in self.assessments for f in a.findings))
