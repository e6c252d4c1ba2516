"""What is known about one change: its text, who wrote it, and the authentic sign-offs on it.

The ledger gathers it, the lifecycle judges it. Plain data, so that every rule can be tested
without a repository, and so that a cache can fill it without loading a document library.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from gitchange.model.change import Change
from gitchange.model.finding import Finding
from gitchange.model.statement import StepName, VerdictName
from gitchange.values import Value


class SignOff(Value):
    """An authenticated statement: signature, key, subject and repository were checked; it is genuine.

    Whether it *counts* (role held, duties separated, order kept) is the lifecycle's decision.
    """

    digest: str
    """SHA-256 of the signed bytes (the DSSE pre-authentication encoding): the sign-off's name."""
    change: str
    step: StepName
    verdict: VerdictName
    by: str
    role: str
    meaning: str
    answers: Mapping[str, Any]
    comment: str
    policy: str
    """Tree id of the policy that the signer saw."""
    log: str | None
    """The notes commit that the signer saw."""
    time: str
    """RFC 3339, as claimed; it decides nothing."""
    path: str
    blob: str
    """Git's id of the signed text."""
    sha256: str
    """SHA-256 of the signed text."""
    key: str
    """The key that signed, by its fingerprint: `SHA256:...` for SSH, `openpgp:...` for an OpenPGP key or subkey."""
    key_type: str
    """E.g. `ssh-ed25519`, `openpgp-rsa`."""
    certificate: str
    """Key id of the SSH certificate that vouched for the key; empty for a plain key."""
    seen: frozenset[str] | None
    """Digests of the sign-offs on the same text that stood in `log`; None when `log` is not at hand."""
    line: str
    """The envelope, byte for byte as it was kept."""
    held: frozenset[str] | None = None
    """Roles that the signer held under the policy by which the sign-off is judged; None: ask the policy at hand."""
    judged_by: int = 0
    """Version of that policy: the one in force when it was first witnessed, else the one at the tip."""
    witness: str | None = None
    """The commit on the branch of record that witnessed it first."""
    place: int | None = None
    """The number of that commit on the line, from the introduction: what was witnessed earlier has a lower one."""
    judged_at: dt.datetime | None = None
    """The moment by which it is judged: the witness's; None while nothing witnessed it: now."""
    primary: str = ""
    """For OpenPGP the primary key of the certificate that `key` belongs to, or is; empty otherwise."""

    @property
    def when(self) -> dt.datetime:
        """The claimed time."""
        return dt.datetime.fromisoformat(self.time)


class Failure(Value):
    """Somebody's word that a change which followed a standard change model failed."""

    change: str
    place: int | None
    """Where the branch of record witnessed it first; None while nothing did: it is new."""


class Evidence(Value):
    """Everything that a verdict on one change rests on."""

    change: Change
    blob: str
    """Git's id of the request's text (without the record)."""
    sha256: str
    size: int
    """Length of the request's text in bytes."""
    authors: frozenset[str]
    """E-mail addresses, lower case, of everybody who wrote a commit that touched the request."""
    sign_offs: tuple[SignOff, ...] = ()
    """Genuine sign-offs on the current text."""
    stale: tuple[SignOff, ...] = ()
    """Genuine sign-offs on earlier texts of the same change: they do not count."""
    doubts: tuple[Finding, ...] = ()
    """What withholds approval: lines that could not be authenticated, and errors of the text itself."""
    ignored: tuple[Finding, ...] = ()
    """Intact statements that are worthless here: by an unknown key, about another text, for another
    repository."""
    order_known: bool = True
    """False when only a record speaks: without the notes nobody can check who saw what."""
    merged: bool = True
    """False while the text is not on the branch of record."""
    failures: tuple[Failure, ...] = ()
    """Of a standard change: the changes, itself included, that failed by the same model as it now is."""
    requested_at: dt.datetime | None = None
    """Committer time of the commit that brought the change in."""
