"""Where and when a command works, and who its user is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from gitchange.assessment.assess import Assessor
from gitchange.errors import GitchangeError, Refused, SigningError, UsageError
from gitchange.git import program
from gitchange.git.repository import MovedError, Person, Repository
from gitchange.ledger import remote as remotes
from gitchange.ledger.remote import Report
from gitchange.model.policy import Policy
from gitchange.signing.allowed_signers import AllowedSigners
from gitchange.signing.signer import SshSigner, default_key


@dataclass(frozen=True)
class Workspace:
    """A repository at a moment. What is read once is kept; `fresh` forgets it after a write."""

    repository: Repository
    now: dt.datetime
    introduction: str | None = None
    at: str | None = None

    @classmethod
    def open(
        cls, directory: Path, now: dt.datetime, *, introduction: str | None = None, at: str | None = None
    ) -> Workspace:
        """The workspace in the repository that holds the folder."""
        return cls(Repository.open(directory), now, introduction, at)

    @cached_property
    def assessor(self) -> Assessor:
        """Judges changes here and now."""
        return Assessor(self.repository, self.now, introduction=self.introduction, at=self.at)

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

    def who(self) -> tuple[Person, Person]:
        """Author and committer of what is written now."""
        return program.identity(self.repository, "AUTHOR"), program.identity(self.repository, "COMMITTER")

    # -- the remote --------------------------------------------------------------------------

    def exchange(self, *, with_branch: bool, sending: bool = True, restore: bool = False) -> Report:
        """Fetch, unite, fast-forward and, when sending, push; Refused when the remote lost sign-offs."""
        return remotes.exchange(
            self.repository, self.branch, self.who, with_branch=with_branch, sending=sending, restore=restore
        )

    # -- the user ----------------------------------------------------------------------------

    @cached_property
    def signer(self) -> SshSigner:
        """The user's signing tool, as git's configuration names it; SigningError when it names none."""
        config = self.repository.config
        if (wanted := config("gpg.format")) not in (None, "ssh"):
            raise SigningError(
                f"git signs with gpg.format={wanted}; sign-offs are signed with SSH keys",
                hint="`git config gpg.format ssh` and `git config user.signingkey FILE`",
            )
        tool = config("gpg.ssh.program") or "ssh-keygen"
        key = config("user.signingkey")
        if key is None and (command := config("gpg.ssh.defaultKeyCommand")) is not None:
            key = default_key(command)
        if not key:
            raise SigningError(
                "git's configuration names no signing key",
                hint="`git config --global user.signingkey ~/.ssh/id_ed25519.pub` "
                "(and `gpg.format ssh`, so that git signs with it too)",
            )
        return SshSigner(tool, key)

    @cached_property
    def principal(self) -> str:
        """Who signs, by the policy in force."""
        return self.principal_under(self.policy)

    def principal_under(self, policy: Policy) -> str:
        """Who signs: the person to whom the policy gives the user's key.

        With a certificate, or a key that nobody's line lists, git's `user.email` must be a person's name in
        the policy. Refused when the policy knows neither.
        """
        key = self.signer.public_key()
        owners = AllowedSigners.parse(policy.signers).principals_of(key)
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


def retrying(write: Callable[[], None]) -> None:
    """Run a write that compares and swaps, again when somebody else was faster; the tenth failure is raised."""
    for attempt in range(10):
        try:
            write()
            return
        except MovedError:
            if attempt == 9:
                raise
