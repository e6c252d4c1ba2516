"""What `doctor` looks at in a clone: programs, git's configuration, the remote, clocks, the user's key.

Each check says in one line what it found, with findings for what is wrong. Nothing is written, fetched or signed (but
for the test signature that was asked for). What is done about it is in the hints.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import re
import subprocess
from functools import cached_property
from pathlib import Path

from gitchange.errors import GitchangeError, RemoteError, RepositoryError, SigningError, UsageError
from gitchange.git import program
from gitchange.ledger import chain, documents, notes
from gitchange.ledger import remote as remotes
from gitchange.ledger.documents import INTRODUCTION_KEY, Policies
from gitchange.ledger.signoffs import described, signers_of
from gitchange.lifecycle import upkeep
from gitchange.model import identifiers
from gitchange.model.finding import Finding
from gitchange.model.policy import POLICY_FILE, ROOT, SIGNERS_FILE
from gitchange.model.statement import NAMESPACE, StatementError, read_statement
from gitchange.signing.dsse import EnvelopeError, parse_envelope
from gitchange.signing.gpg import OpenPgpSigner
from gitchange.signing.keys import KeyFormatError, parse_public_line
from gitchange.signing.signer import SshSigner, literal_key
from gitchange.values import Value, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gitchange.assessment.assess import Assessor
    from gitchange.model.finding import Severity
    from gitchange.model.policy import Policy
    from gitchange.model.result import ResultPredicate
    from gitchange.model.statement import Predicate
    from gitchange.signing.keys import PublicKey
    from gitchange.workflow.workspace import Workspace

ANSWER_WITHIN = 20.0
"""How long a remote may take to answer, in seconds; a passphrase may have to be typed."""

OLDEST_GIT = (2, 31)
"""The first git with `log --diff-merges=combined`."""

_SKEW = dt.timedelta(minutes=5)
"""By how much clocks may differ without being worth a word."""

_FORGOTTEN = dt.timedelta(minutes=10)
"""After which a lock is taken to be left behind: git holds one for seconds."""

_TEST_MESSAGE = b"gitchange doctor: may this key sign? (This is no sign-off.)\n"


class Look(Value):
    """What one check saw."""

    found: str
    """In one line."""
    findings: list[Finding] = field(default_factory=list)
    left_out: bool = False
    """Whether there was nothing to look at, or nobody wanted it looked at."""


def _warn(code: str, message: str, hint: str) -> Finding:
    return Finding(code, message, hint, "warning")


def _note(code: str, message: str, hint: str) -> Finding:
    return Finding(code, message, hint, "note")


class CloneChecks:
    """The checks of one clone; what several of them need is read once."""

    def __init__(
        self, workspace: Workspace, *, offline: bool, sign: bool, within: dt.timedelta, seconds: float
    ) -> None:
        self.workspace, self.repository, self.now = workspace, workspace.repository, workspace.now
        self.offline, self.sign, self.within, self.seconds = offline, sign, within, seconds

    # -- what several checks need ------------------------------------------------------------

    @cached_property
    def assessor(self) -> Assessor | None:
        """Who judges here; None when it cannot be told where the branch of record begins."""
        try:
            return self.workspace.anew
        except GitchangeError:
            return None

    @property
    def policy(self) -> Policy | None:
        """The policy in force; None when there is none that can be read and trusted."""
        return self.assessor.policy if self.assessor else None

    @cached_property
    def branch(self) -> str:
        """The branch of record, also where the introduction is not to be trusted; else the one checked out."""
        try:
            return documents.branch_of_record(self.repository, Policies(self.repository))[0]
        except RepositoryError:
            head = self.repository.head_ref()
            if head is None or self.repository.ref(head) is None:
                raise
            return head

    @cached_property
    def remote_name(self) -> str | None:
        """The remote that gitchange exchanges with."""
        return remotes.remote_name(self.repository, self.branch)

    @cached_property
    def answer(self) -> dict[str, str] | RemoteError | None:
        """What the remote says that it has; why it says nothing; None when it was not asked."""
        if self.remote_name is None or self.offline:
            return None
        try:
            wanted = (self.branch, notes.REF)
            return program.ls_remote(self.repository, self.remote_name, wanted, self.seconds)
        except RemoteError as error:
            return error

    # -- 1. programs -------------------------------------------------------------------------

    def programs(self) -> Look:
        """Git, and the tool that signs."""
        told = program.run(self.repository.directory, "version").stdout.decode(errors="replace").strip()
        version = re.search(r"(\d+)\.(\d+)", told)
        found: list[Finding] = []
        if version is None or (int(version[1]), int(version[2])) < OLDEST_GIT:
            needed = ".".join(map(str, OLDEST_GIT))
            message = f"{told} is too old: {needed} is needed"
            found.append(Finding("programs.git-too-old", message, f"install git {needed} or newer"))
        try:
            signer: SshSigner | OpenPgpSigner | None = self.workspace.signer
        except GitchangeError:
            signer = None  # whether one is configured is another check's question
        tool = signer.program if signer else "ssh-keygen"
        if isinstance(signer, OpenPgpSigner):
            done = _try([tool, "--version"])
            hint = "install GnuPG, or correct git's gpg.program"
        else:
            done = _try([tool, "-Y", "sign"])
            hint = "install OpenSSH 8.2 or newer, or correct git's gpg.ssh.program"
        if done is None:
            message = f"the program {tool}, which signs for git, cannot be run"
            found.append(Finding("programs.no-signing-tool", message, hint))
        elif Path(tool).name == "ssh-keygen" and b"usage:" in done.stderr:
            # Who knows `-Y sign` complains about its missing arguments only.
            message = f"{tool} is too old: it does not know `-Y sign`"
            found.append(Finding("programs.ssh-keygen-too-old", message, "install OpenSSH 8.2 or newer"))
        return Look(f"{told}, {tool}{'' if done else ' (missing)'}", found)

    # -- 2. identity -------------------------------------------------------------------------

    def identity(self) -> Look:
        """Name and address, and whose they are by the policy."""
        try:
            author = program.identity(self.repository, "AUTHOR")
        except UsageError as error:
            return Look("nobody", [Finding("identity.unknown", error.message, error.hint)])
        found: list[Finding] = []
        for key in ("user.name", "user.email"):
            if self.repository.config(key) is None:
                found.append(
                    _warn(
                        "identity.not-configured",
                        f"git's configuration has no {key}, and git takes {author.name} <{author.email}>",
                        f"`git config --global {key} {'NAME' if key == 'user.name' else 'ADDRESS'}`",
                    )
                )
        if self.policy is not None and author.email.casefold() not in map(str.casefold, self.policy.people):
            found.append(
                _warn(
                    "identity.not-in-policy",
                    f"nobody in the policy is called {author.email}: what you commit is not recognised as yours",
                    "`git config user.email ADDRESS` with your name in the policy, or ask an administrator for a role",
                )
            )
        return Look(f"{author.name} <{author.email}>", found)

    # -- 3. completeness ---------------------------------------------------------------------

    def completeness(self) -> Look:
        """Missing history, missing objects, replaced objects, locks."""
        found: list[Finding] = []
        if self.repository.is_shallow:
            found.append(
                Finding(
                    "clone.shallow",
                    "the clone is shallow: its history ends early, and what came before cannot be verified",
                    f"`git fetch --unshallow{f' {self.remote_name}' if self.remote_name else ''}`",
                )
            )
        for name in self.repository.remotes():
            if self.repository.config(f"remote.{name}.promisor") == "true":
                found.append(
                    Finding(
                        "clone.partial",
                        f"the clone is partial (remote {name}): objects are missing that verdicts need",
                        f"clone again without --filter, or `git config --unset remote.{name}.partialclonefilter; "
                        f"git fetch --refetch {name}; git config --unset remote.{name}.promisor`",
                    )
                )
        listed = program.run(
            self.repository.directory, "for-each-ref", "--format=%(refname)", "refs/replace/"
        )
        if replaced := listed.stdout.decode(errors="replace").split():
            found.append(
                _warn(
                    "clone.replaced",
                    f"{len(replaced)} object(s) are replaced here: stock git shows others than gitchange, which "
                    "reads what was really committed",
                    "`git replace --list` names them, `git replace -d OBJECT` removes one",
                )
            )
        if (self.repository.common_dir / "info" / "grafts").is_file():
            message = (
                "info/grafts changes the history that stock git shows; gitchange reads what was committed"
            )
            found.append(_warn("clone.grafts", message, "remove .git/info/grafts"))
        found += self._forgotten_locks()
        return Look("whole" if not found else f"{len(found)} thing(s) to look at", found)

    def _forgotten_locks(self) -> Iterator[Finding]:
        places = {self.repository.git_dir, self.repository.common_dir}
        locks = [lock for place in places for lock in (*place.glob("*.lock"), *place.glob("refs/**/*.lock"))]
        for lock in sorted(set(locks)):
            with contextlib.suppress(FileNotFoundError):  # its owner was quicker
                age = self.now - dt.datetime.fromtimestamp(lock.stat().st_mtime, dt.UTC)
                if age > _FORGOTTEN:
                    yield Finding(
                        "clone.forgotten-lock",
                        f"{lock} is {_long(age)} old: whoever left it keeps everybody from writing",
                        f"when no other git or gitchange is at work here: `rm {lock}`",
                    )

    # -- 4. introduction ---------------------------------------------------------------------

    def introduction(self) -> Look:
        """The pinned first commit."""
        given = self.workspace.introduction or self.repository.config(INTRODUCTION_KEY)
        try:
            assessor = self.workspace.anew
        except UsageError as error:
            if given is None:
                raise
            hint = error.hint
            if self.repository.is_shallow and not self.repository.has_commit(given):
                hint = (
                    "the history of this clone ends early and may not reach it: `git fetch --unshallow` first"
                )
            found = Finding("introduction.wrong", error.message, hint)
            return Look(f"{given} is pinned, and is not in this history", [found])
        pinned = "pinned" if assessor.ground.pinned else "not pinned"
        return Look(f"{assessor.ground.introduction[:12]}, {pinned}", list(assessor.pin_findings))

    # -- 5. refspecs -------------------------------------------------------------------------

    def refspecs(self) -> Look:
        """What git is told to fetch and to push beside what gitchange does by itself."""
        config, names = self.repository.config, self.repository.remotes()
        found: list[Finding] = []
        for name in names:
            mirror = config(f"remote.{name}.mirror") == "true"
            # Who mirrors a repository without a work tree reads it; nothing is signed there.
            severity: Severity = "warning" if mirror and self.repository.work_dir is None else "error"
            prunes = "true" in (config(f"remote.{name}.prune"), config("fetch.prune"))
            for spec in self.repository.config_list(f"remote.{name}.fetch"):
                if not _reaches(spec.lstrip("+").partition(":")[2]):
                    continue
                unset = f"`git config --fixed-value --unset-all remote.{name}.fetch '{spec}'`"
                if spec.startswith("+"):
                    message = f"`git fetch {name}` replaces your notes by the remote's ({spec}): what you signed and "
                    message += "did not send yet is lost"
                    hint = f"{unset}: gitchange fetches and unites the notes by itself"
                    found.append(Finding("refspecs.forced-fetch", message, hint, severity))
                elif prunes:
                    message = f"`git fetch {name}` prunes, and with {spec} removes your notes where the remote has none"
                    hint = f"{unset}: gitchange fetches the notes by itself"
                    found.append(Finding("refspecs.pruned", message, hint, severity))
            for spec in self.repository.config_list(f"remote.{name}.push"):
                source, _, target = spec.lstrip("+").partition(":")
                if spec.startswith("+") and _reaches(target or source):
                    message = (
                        f"`git push {name}` replaces the remote's notes by yours ({spec}): others' are lost"
                    )
                    hint = f"`git config --fixed-value --unset-all remote.{name}.push '{spec}'`: "
                    hint += "gitchange sends the notes by itself"
                    found.append(Finding("refspecs.forced-push", message, hint))
            if mirror:
                message = f"`git push {name}` mirrors: it replaces and removes the remote's notes, and all else there"
                hint = f"`git config --unset remote.{name}.mirror`; who signs clones without --mirror"
                found.append(Finding("refspecs.mirror", message, hint, severity))
        for key in ("notes.mergeStrategy", f"notes.{notes.REF.removeprefix('refs/notes/')}.mergeStrategy"):
            if (strategy := config(key)) in ("ours", "theirs"):
                message = f"{key} is {strategy}: `git notes merge` drops the other side's sign-offs"
                found.append(_warn("refspecs.merge-strategy", message, f"`git config {key} cat_sort_uniq`"))
        if not names:
            return Look("there is no remote", found)
        return Look("none" if not found else f"{len(found)} that can", found)

    # -- 6. and 7. the remote ----------------------------------------------------------------

    def remote(self) -> Look:
        """Whether the remote answers."""
        if self.remote_name is None:
            if names := self.repository.remotes():
                message = f"there are several remotes ({', '.join(names)}), and none is named for gitchange"
                return Look(
                    "none chosen", [_warn("remote.unclear", message, "`git config gitchange.remote NAME`")]
                )
            hint = "`git remote add origin ADDRESS`, when others are to see what is signed here"
            return Look(
                "there is none", [_note("remote.none", "everything is only in this repository", hint)]
            )
        if self.offline:
            return Look(f"{self.remote_name} was not asked", left_out=True)
        if isinstance(self.answer, RemoteError):
            hint = f"{self.answer.hint}; --offline leaves this out"
            return Look(
                f"{self.remote_name} does not",
                [Finding("remote.unreachable", self.answer.message, hint)],
            )
        return Look(f"{self.remote_name} does")

    def exchange(self) -> Look:
        """What only we have, what only the remote has, and what it lost; by what is known without fetching."""
        remote = self.remote_name
        if remote is None:
            return Look("there is no remote", left_out=True)
        live = self.answer if isinstance(self.answer, dict) else None
        tracked = remotes.tracking_notes(remote), remotes.tracking_branch(remote, self.branch)
        if live is not None:
            their_notes, their_branch = live.get(notes.REF), live.get(self.branch)
        else:
            their_notes, their_branch = map(self.repository.ref, tracked)
        words, found = self._notes_there(remote, their_notes)
        more, others = self._branch_there(remote, their_branch)
        known = "" if live is not None else ", as it was last seen"
        return Look(f"{words}; {more}{known}", [*found, *others])

    def _notes_there(self, remote: str, theirs: str | None) -> tuple[str, list[Finding]]:
        repository, sync = self.repository, "`gitchange sync`"
        found: list[Finding] = []
        ours, verified = repository.ref(notes.REF), repository.ref(remotes.verified_notes(remote))
        here = theirs is not None and repository.has_commit(theirs)
        if verified is not None and (theirs is None or here) and (lost := self._missing(verified, theirs)):
            message = f"{remote} lost {len(lost)} line(s) of the notes that it had, the first: "
            hint = "find out who did that; `gitchange sync --restore` puts them back from this clone"
            found.append(Finding("exchange.lost", message + described(lost[0]), hint))
        # Where the remote has newer notes than any here, what was last seen of them is all that can be compared.
        base = theirs if here or theirs is None else repository.ref(remotes.tracking_notes(remote))
        unsent = self._missing(ours, base) if ours is not None else ()
        if unsent:
            message = f"{len(unsent)} sign-off(s) are only in this clone"
            found.append(_warn("exchange.unsent", message, f"{sync} sends them"))
        behind = theirs is not None and (not here or ours is None or bool(self._missing(theirs, ours)))
        if behind:
            found.append(_note("exchange.behind", f"{remote} has notes that are not here", sync))
        if unsent or behind:
            return "the notes differ", found
        return ("the notes are the same" if ours else "there are no notes"), found

    def _missing(self, commit: str, there: str | None) -> tuple[bytes, ...]:
        """Lines of a notes commit that another one does not have; all of them when there is none."""
        if there is None:
            return tuple(line for _, lines in notes.Notes(self.repository, commit).all() for line in lines)
        return tuple(line for _, line in chain.lost_between(self.repository, commit, there))

    def _branch_there(self, remote: str, theirs: str | None) -> tuple[str, list[Finding]]:
        repository, short = self.repository, self.branch.removeprefix("refs/heads/")
        ours, verified = (
            repository.ref(self.branch),
            repository.ref(remotes.verified_branch(remote, self.branch)),
        )
        found: list[Finding] = []
        if theirs is not None and not repository.has_commit(theirs):
            found.append(
                _note(
                    "exchange.branch-behind", f"{remote}'s {short} is ahead of this clone", "`gitchange sync`"
                )
            )
            return f"{short} differs", found
        if (
            verified is not None
            and theirs is not None
            and repository.has_commit(verified)
            and not repository.is_ancestor(verified, theirs)
            and not repository.is_ancestor(theirs, verified)
        ):
            found.append(
                Finding(
                    "exchange.rewritten",
                    f"{remote}'s {short} was rewritten: it does not contain {verified[:12]}, which it had",
                    "find out who did that; `gitchange sync` tells how to restore it",
                )
            )
        if ours is None or ours == theirs:
            return (f"{short} is the same" if ours else f"{short} is only there"), found
        ahead = self._between(ours, theirs)
        if theirs is not None and not repository.is_ancestor(theirs, ours):
            if not repository.is_ancestor(ours, theirs):
                message = f"your {short} and {remote}'s have diverged: {ahead} commit(s) are only here"
                hint = f"`git pull --rebase {remote} {short}`, then `gitchange sync`"
                found.append(_warn("exchange.diverged", message, hint))
            else:
                message = f"{remote}'s {short} is {self._between(theirs, ours)} commit(s) ahead"
                found.append(_note("exchange.branch-behind", message, "`gitchange sync`"))
        else:
            message = f"{ahead} commit(s) of {short} are only in this clone"
            found.append(_warn("exchange.branch-unsent", message, "`gitchange sync` sends them"))
        return f"{short} differs", found

    def _between(self, tip: str, known: str | None) -> int:
        return sum(1 for _ in self.repository.ancestors(tip, (known,) if known else ()))

    # -- 8. files ----------------------------------------------------------------------------

    def files(self) -> Look:
        """Conversions between what is committed and what lies in the work tree (gitattributes(5))."""
        if self.repository.work_dir is None:
            return Look("there is no work tree", left_out=True)
        paths = (
            f"{ROOT}/{POLICY_FILE}",
            f"{ROOT}/{SIGNERS_FILE}",
            "policy-approvals/2.jsonl",
            identifiers.path_of("CHG-20261122-K7Q3"),
        )
        asked = ("text", "eol", "ident", "filter", "working-tree-encoding")
        done = program.run(self.repository.directory, "check-attr", "-z", *asked, "--", *paths)
        told = done.stdout.decode("utf-8", "replace").split("\0")
        attributes: dict[str, dict[str, str]] = {}
        for path, name, value in zip(told[0::3], told[1::3], told[2::3], strict=False):
            attributes.setdefault(path, {})[name] = value
        mend = (
            "add what `gitchange init` writes to .gitattributes: `changes/** -text`, `policy/** -text` and "
        )
        mend += "`policy-approvals/** -text`, and nothing after it that says otherwise"
        found: list[Finding] = []
        for path, given in attributes.items():
            if why := self._converted(given):
                folder = f"{path.partition('/')[0]}/"
                message = f"git converts files below {folder} ({why}): what lies there is not what is signed"
                found.append(_warn("files.converted", message, mend))
        return Look("no conversion" if not found else "conversions", list(dict.fromkeys(found)))

    def _converted(self, given: dict[str, str]) -> str:
        """Which setting makes git convert; empty when none does."""
        for name in ("ident", "filter", "working-tree-encoding"):
            if (value := given.get(name, "unspecified")) not in ("unspecified", "unset"):
                return f"attribute {name}={value}"
        text, eol = given.get("text", "unspecified"), given.get("eol", "unspecified")
        if text == "unset":
            return ""
        if text != "unspecified" or eol != "unspecified":
            return f"attribute text={text}" if text != "unspecified" else f"attribute eol={eol}"
        wanted = (self.repository.config("core.autocrlf") or "false").lower()
        return f"core.autocrlf={wanted}" if wanted in ("true", "input", "yes", "on", "1") else ""

    # -- 9. clock ----------------------------------------------------------------------------

    def clock(self) -> Look:
        """Commits and claims that lie in the future of this clock."""
        repository, limit = self.repository, self.now + _SKEW
        found: list[Finding] = []
        mend = "compare `date -u` with another clock: either this machine's is slow, or the other's was fast "
        mend += "(`timedatectl set-ntp true` where systemd keeps time)"
        remote = self.remote_name
        refs = [self.branch, notes.REF]
        if remote:
            refs += [remotes.tracking_branch(remote, self.branch), remotes.tracking_notes(remote)]
        tips = dict.fromkeys(tip for ref in refs if (tip := repository.ref(ref)) is not None)
        times = {tip: repository.commit(tip).committer.time for tip in tips}
        if self.assessor is not None:
            # The line's clock never runs backwards: one commit ahead takes all after it along.
            early = next((p.commit for p in self.assessor.timeline.points if p.moment > limit), None)
            if early is not None:
                times.setdefault(early, repository.commit(early).committer.time)
        for commit, time in times.items():
            if time > limit:
                person = repository.commit(commit).committer.email
                message = (
                    f"commit {commit[:12]} by {person} is dated {_long(time - self.now)} ahead of this clock"
                )
                found.append(_warn("clock.commit-ahead", message, mend))
        if ahead := self._claims_ahead(limit):
            latest, who = max(ahead)
            message = f"{len(ahead)} sign-off(s) claim a time ahead of this clock, by up to {_long(latest - self.now)} "
            message += f"({who}); claimed times decide nothing"
            found.append(_warn("clock.sign-off-ahead", message, mend))
        if found:
            return Look("ahead of this one", found)
        newest = max(times.values(), default=None)
        if newest is None:
            return Look("nothing was committed yet")
        return Look(f"the newest commit is {_long(max(self.now - newest, dt.timedelta()))} old")

    def _claims_ahead(self, limit: dt.datetime) -> list[tuple[dt.datetime, str]]:
        """Times that sign-offs claim, and who claims them, where they are ahead."""
        ahead: list[tuple[dt.datetime, str]] = []
        for _, lines in notes.Notes(self.repository, self.repository.ref(notes.REF)).all():
            for line in lines:
                # What is neither a sign-off nor a result is a finding of `verify`.
                with contextlib.suppress(EnvelopeError, StatementError, ValueError):
                    said = _claim_of(parse_envelope(line).payload)
                    if (time := dt.datetime.fromisoformat(said.time)) > limit:
                        ahead.append((time, said.by))
        return ahead

    # -- 10. signing -------------------------------------------------------------------------

    def signing(self) -> Look:
        """The tool and the key, in these steps:

        1. git's configuration names a key;
        2. its private half is at hand, and private;
        3. the policy knows whose it is, and that person holds a role;
        4. the key counts now, and will for a while;
        5. if it was asked for, it signs.
        """
        config = self.repository.config
        # 1.
        try:
            signer = self.workspace.signer
            name = _name_of(signer)
        except SigningError as error:
            if config("user.signingkey") is None and config("gpg.format") != "openpgp":
                message = "no signing key is configured: this clone can read and cannot sign"
                return Look("no key", [_warn("signing.no-key", message, error.hint)])
            return Look("no usable key", [Finding("signing.unusable-key", error.message, error.hint)])
        # 2.
        found: list[Finding] = []
        if isinstance(signer, SshSigner):
            found += _private_half(signer)
        # 3.
        if self.policy is None:
            return Look(f"{name}; whether it counts cannot be told without a policy", found)
        try:
            person = self.workspace.principal
        except GitchangeError as error:
            found.append(Finding("signing.unknown-key", error.message, error.hint))
            return Look(f"{name}, which the policy does not know", found)
        roles = self.policy.roles_of(person)
        if not roles:
            message = f"the policy knows your key as {person}'s, who holds no role: nothing you sign counts"
            found.append(_warn("signing.no-role", message, "ask an administrator for a role"))
        email = config("user.email")
        if email is not None and email.casefold() != person.casefold():
            message = f"you sign as {person} and commit as {email}: your commits are not recognised as yours"
            found.append(_warn("signing.other-address", message, f"`git config user.email {person}`"))
        # 4.
        renew = "have an administrator add a new key of yours to the policy"
        if reason := self._why_not(self.policy, signer, person, self.now):
            message = f"what you sign now would not count: {reason}"
            found.append(Finding("signing.does-not-count", message, renew))
        elif reason := self._why_not(self.policy, signer, person, self.now + self.within):
            found.append(_warn("signing.ends-soon", f"your key soon counts no more: {reason}", renew))
        # 5.
        if self.sign:
            found += self._test(self.policy, signer, person)
        held = f" as {', '.join(roles)}" if roles else ""
        tried = ", and it signed" if self.sign and not any(f.severity == "error" for f in found) else ""
        return Look(f"{person} with {name}{held}{tried}", found)

    def _why_not(
        self, policy: Policy, signer: SshSigner | OpenPgpSigner, person: str, at: dt.datetime
    ) -> str:
        signers = signers_of(policy)
        if isinstance(signer, SshSigner):
            return upkeep.why_key_unable(policy, signers, person, signer.public_key(), at)
        return signers.openpgp.why_unable(person, at)

    def _test(self, policy: Policy, signer: SshSigner | OpenPgpSigner, person: str) -> Iterator[Finding]:
        """5. Sign something that is no sign-off, and check it as readers check sign-offs."""
        try:
            signature = signer.sign(_TEST_MESSAGE, NAMESPACE)
        except SigningError as error:
            yield Finding("signing.failed", error.message, error.hint)
            return
        checked = signers_of(policy).verify(
            _TEST_MESSAGE, signature, principal=person, namespace=NAMESPACE, at=self.now
        )
        if not checked.ok:
            message = f"a test signature was made and would not count: {checked.message}"
            yield Finding(
                "signing.does-not-count", message, "ask an administrator to look at your key's line"
            )

    # -- 11. policy --------------------------------------------------------------------------

    def readable_policy(self) -> Look:
        """Whether a policy is in force."""
        try:
            assessor = self.workspace.anew
        except UsageError:
            return Look("none can be trusted before the introduction is mended", left_out=True)
        found = list(assessor.policy_findings)
        if self.policy is None:
            return Look("none is in force", found)
        reigns = len(assessor.timeline.reigns)
        return Look(f"version {self.policy.version} ({self.policy.tree[:12]}), of {reigns} so far", found)


def _name_of(signer: SshSigner | OpenPgpSigner) -> str:
    """What a key is called; SigningError when it is not there."""
    if isinstance(signer, OpenPgpSigner):
        return f"the OpenPGP key {signer.fingerprints()[0]}"
    key = signer.public_key()
    return f"{key.fingerprint} ({key.type})"


def _private_half(signer: SshSigner) -> Iterator[Finding]:
    """2. Where ``ssh-keygen -Y sign`` would find the private key: in a file that is private, or in an agent."""
    file = None if literal_key(signer.key) is not None else Path(signer.key)
    if file is not None and not _is_private(file):
        file = file.with_suffix("") if file.suffix == ".pub" else None
    if file is not None and _is_private(file):
        if file.stat().st_mode & 0o077:
            message = f"the private key {file} can be read by others; ssh-keygen refuses to use it"
            yield Finding("signing.key-not-private", message, f"`chmod 600 {file}`")
        return
    if Path(signer.program).name != "ssh-keygen":
        return  # another tool keeps the key in a place of its own
    done = _try(["ssh-add", "-L"])
    if done is None or done.returncode not in (0, 1):
        yield Finding(
            "signing.no-agent",
            "only the public half of your key is here, and no agent answers that could have the other",
            'start an agent and load the key: `eval "$(ssh-agent)"; ssh-add FILE`, or name the private key\'s file: '
            "`git config user.signingkey FILE`",
        )
    elif signer.public_key().plain not in [key.plain for key in _keys(done.stdout.splitlines())]:
        yield Finding(
            "signing.not-in-agent",
            "only the public half of your key is here, and the agent does not have the other",
            "load it: `ssh-add FILE` (`ssh-add -L` lists what the agent has)",
        )


def _is_private(file: Path) -> bool:
    try:
        with file.open("rb") as stream:
            return b"PRIVATE KEY-----" in stream.read(100)
    except OSError:
        return False


def _keys(lines: Sequence[bytes]) -> Iterator[PublicKey]:
    for line in lines:
        with contextlib.suppress(KeyFormatError):  # a kind that is not accepted here
            yield parse_public_line(line)


def _try(command: list[str]) -> subprocess.CompletedProcess[bytes] | None:
    """Run a program of the user's that answers at once; None when it cannot be run or does not."""
    try:
        return subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=ANSWER_WITHIN
        )
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None


def _reaches(target: str) -> bool:
    """Whether the right side of a refspec is, or may be, the notes with the sign-offs."""
    before, star, after = target.partition("*")
    if not star:
        return target == notes.REF
    return notes.REF.startswith(before) and notes.REF.endswith(after)


def _long(length: dt.timedelta) -> str:
    """A length of time in its largest unit."""
    for unit, name in ((dt.timedelta(days=1), "day"), (dt.timedelta(hours=1), "hour")):
        if length >= unit:
            count = length // unit
            return f"{count} {name}{'s' if count > 1 else ''}"
    count = length // dt.timedelta(minutes=1)
    return f"{count} minute{'' if count == 1 else 's'}"


def _claim_of(payload: bytes) -> Predicate | ResultPredicate:
    """What a sign-off or a result says; StatementError when it is neither."""
    try:
        return read_statement(payload).predicate
    except StatementError:
        from gitchange.model.result import read_result  # noqa: PLC0415 - mostly a line is a sign-off

        return read_result(payload).predicate
