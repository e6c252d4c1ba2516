"""Where and when a command works, and who its user is."""

from __future__ import annotations

import time
from functools import cached_property

from gitchange.assessment.assess import Assessor
from gitchange.errors import GitchangeError, Refused, SigningError, UsageError
from gitchange.git import program
from gitchange.git.repository import MovedError, Person, Repository
from gitchange.index import refresh
from gitchange.ledger import remote as remotes
from gitchange.ledger.signoffs import signers_of
from gitchange.values import Value, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable
    from pathlib import Path
    from typing import TypeVar

    from gitchange.assessment.assess import Tell
    from gitchange.ledger.remote import Report
    from gitchange.model.policy import Policy
    from gitchange.signing.gpg import OpenPgpSigner
    from gitchange.signing.signer import SshSigner

    Written = TypeVar("Written")


class Workspace(Value, slots=False):
    """A repository at a moment. What is read once is kept; `fresh` forgets it after a write."""

    repository: Repository
    now: dt.datetime
    introduction: str | None = None
    at: str | None = None
    tell: Tell | None = None
    known_as: str | None = None
    """Who writes where git does not know who the user is: a machine's principal. Without it that is an error."""

    @classmethod
    def open(
        cls,
        directory: Path,
        now: dt.datetime,
        *,
        introduction: str | None = None,
        at: str | None = None,
        tell: Tell | None = None,
    ) -> Workspace:
        """The workspace in the repository that holds the folder; `tell` is told how far long work is."""
        return cls(Repository.open(directory), now, introduction, at, tell)

    @cached_property
    def assessor(self) -> Assessor:
        """Judges changes here and now; by the facts that an index has, where there is one."""
        if self.at is None:
            known = refresh.assessor(self.repository, self.now, self.introduction)
            if known is not None:
                return known
        return self.anew

    @cached_property
    def anew(self) -> Assessor:
        """The same, from nothing but the repository."""
        found = Assessor(self.repository, self.now, introduction=self.introduction, at=self.at)
        found.tell = self.tell
        return found

    def fresh(self) -> Workspace:
        """The same place, to be read anew."""
        return replace(self)

    @property
    def branch(self) -> str:
        """The branch of record, a full ref name."""
        return self.assessor.ground.branch

    @property
    def policy(self) -> Policy:
        """The policy at the tip; GitchangeError when it cannot be read: then nothing can be decided."""
        if self.assessor.policy is None:
            problems = "; ".join(f.message for f in self.assessor.policy_findings)
            raise GitchangeError(
                f"the policy cannot be read: {problems}", hint="`gitchange check` tells more"
            )
        return self.assessor.policy

    @property
    def by_merge_request(self) -> bool:
        """Whether what would be written to the branch of record goes on a branch: by policy, where HEAD is on it."""
        return self.policy.file.merge_requests and self.repository.head_ref() in (self.branch, None)

    def who(self) -> tuple[Person, Person]:
        """Author and committer of what is written now; UsageError when nobody knows."""
        if self.known_as is not None:
            try:
                return self._identity()
            except UsageError:
                machine = Person(self.known_as, self.known_as, self.now)
                return machine, machine
        return self._identity()

    def _identity(self) -> tuple[Person, Person]:
        return program.identity(self.repository, "AUTHOR"), program.identity(self.repository, "COMMITTER")

    # -- the remote --------------------------------------------------------------------------

    def exchange(
        self, *, with_branch: bool, sending: bool = True, restore: bool = False, after: Report | None = None
    ) -> Report:
        """Fetch, unite, fast-forward and, when sending, push; Refused when the remote lost sign-offs."""
        return remotes.exchange(
            self.repository,
            self.branch,
            self.who,
            with_branch=with_branch,
            sending=sending,
            restore=restore,
            after=after,
        )

    # -- the user ----------------------------------------------------------------------------

    @cached_property
    def signer(self) -> SshSigner | OpenPgpSigner:
        """The user's signing tool, as git's configuration names it; SigningError when it names none."""
        from gitchange.workflow.tools import signer_by  # noqa: PLC0415 - only for who signs

        return signer_by(self._configured, self._committer)

    def _configured(self, key: str) -> str | None:
        """A value of git's configuration; a key's path that begins with `~` as git expands it."""
        value = self.repository.config(key)
        if key == "user.signingkey" and value is not None and value.startswith("~"):
            told = program.run(self.repository.directory, "config", "--type=path", "--get", key, check=False)
            return told.stdout.decode(errors="surrogateescape").rstrip("\n") or value
        return value

    def _committer(self) -> str:
        committer = self.who()[1]
        return f"{committer.name} <{committer.email}>"

    @cached_property
    def principal(self) -> str:
        """Who signs, by the policy in force."""
        return self.principal_under(self.policy)

    def principal_under(self, policy: Policy) -> str:
        """Who signs: the person to whom the policy gives the user's key.

        With an SSH certificate git's `user.email` must be a person's name in the policy. Refused when the policy
        gives the key to nobody, or to several.
        """
        from gitchange.signing.gpg import OpenPgpSigner  # noqa: PLC0415 - only for who signs

        signer = self.signer
        if isinstance(signer, OpenPgpSigner):
            return _owner_of_openpgp(signer, policy)
        key = signer.public_key()
        owners = signers_of(policy).ssh.principals_of(key)
        if len(owners) == 1:
            return owners[0]
        if len(owners) > 1:
            raise Refused(
                f"your key {key.fingerprint} belongs to several persons: {', '.join(owners)}",
                hint="policy/allowed_signers must give each person a key of their own",
            )
        email = self.repository.config("user.email")
        if email in policy.people and "-cert-" in key.type:
            return str(email)
        raise Refused(
            f"the policy does not know your key {key.fingerprint}",
            hint="ask an administrator to add a line for it to policy/allowed_signers: "
            f'you@example.org namespaces="gitchange" {key.type} ...',
        )

    def me(self) -> str:
        """Who the user is, for reading: git's `user.email` when the policy knows it, else the key's owner."""
        email = self.repository.config("user.email")
        if email is not None:
            for person in self.policy.people:
                if person.casefold() == email.casefold():
                    return person
        try:
            return self.principal
        except (SigningError, Refused) as error:
            raise UsageError(
                f"cannot tell who you are: {error.message}",
                hint="`git config user.email` should be your name in the policy, or use --person NAME",
            ) from None


def _owner_of_openpgp(signer: OpenPgpSigner, policy: Policy) -> str:
    """The one person whose certificates have a key that the tool may sign with."""
    from gitchange.signing.certificates import EXPORT, INSTALL  # noqa: PLC0415 - only for who signs with OpenPGP

    certificates = signers_of(policy).openpgp
    if certificates.missing:
        raise SigningError(
            f"OpenPGP signatures cannot be checked here: {certificates.missing}",
            hint=f"install what checks them: {INSTALL}",
        )
    keys = signer.fingerprints()
    owners = tuple(dict.fromkeys(person for key in keys for person in certificates.owners(key)))
    if len(owners) == 1:
        return owners[0]
    if owners:
        raise Refused(
            f"your OpenPGP key {signer.key} belongs to several persons: {', '.join(owners)}",
            hint="policy/openpgp must give each person a key of their own; "
            "`git config user.signingkey FINGERPRINT` names one of several keys",
        )
    raise Refused(
        f"the policy does not know your OpenPGP key {keys[0]}",
        hint="ask an administrator to add its certificate to policy/openpgp/you@example.org.asc: "
        f"{EXPORT.replace('FINGERPRINT', keys[0])}",
    )


def retrying(write: Callable[[], Written]) -> Written:
    """Run a write that compares and swaps, again when somebody else was faster.

    Each failure means that another's write has landed, so of several one always gets on; the hundredth is raised.
    """
    for _ in range(99):
        try:
            return write()
        except MovedError:
            import random  # noqa: PLC0415 - hardly ever

            time.sleep(random.uniform(0, 0.02))  # noqa: S311
    return write()
