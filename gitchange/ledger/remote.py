"""Exchange with the remote: fetch, unite, fast-forward, push, try again.

git hosting is the distributed engine; this is a good citizen of it. Nothing is ever pushed by force,
and a fetch never touches what was signed here: the remote's notes arrive in a ref of their own
(`refs/gitchange/remotes/REMOTE/`) and are united with ours.
"""

from __future__ import annotations

import time
from contextlib import contextmanager

from gitchange.errors import Refused, RemoteError
from gitchange.git import program
from gitchange.git.failures import WriteError, writing
from gitchange.git.locks import LockedError, alone
from gitchange.git.repository import MovedError
from gitchange.git.work_tree import move_branch, settle
from gitchange.ledger import chain, notes
from gitchange.ledger.signoffs import described
from gitchange.values import Value, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from gitchange.git.repository import Person, Repository

ATTEMPTS = 50
"""How often a push is made when others were faster each time. Each time one of them is done, so all get their turn."""

DOUBTFUL_ATTEMPTS = 4
"""How often one is made for nothing: refused in words that are not known here, or as if others were faster when nobody
was (a lock left behind on the server), or broken off with the connection."""


PROPOSALS = "change/"
"""Branches whose names begin so are fetched too: requests that are not merged yet."""


class Report(Value, frozen=False):
    """What an exchange did, and what is still only here."""

    remote: str | None
    """Name of the remote; None when there is none."""
    received: int = 0
    """Notes commits that were new here."""
    sent: list[str] = field(default_factory=list)
    """Full names of the refs that the remote now has as we do."""
    waiting: list[str] = field(default_factory=list)
    """What is still local only, in words."""
    problems: list[str] = field(default_factory=list)
    """Why."""
    refused: bool = False
    """Whether the remote answered and did not take what was sent, or did not let the user in. Offline is no refusal."""
    kept: tuple[str, ...] = ()
    """Files that were not updated because they are edited here."""
    retries: int = 0
    """How often it began again."""
    mend: str = ""
    """What must happen before what waits can be sent; empty where trying again is all."""
    restored: tuple[str, ...] = ()
    """Lines, in words, that the remote had lost and that were put back from this clone."""

    @property
    def complete(self) -> bool:
        """Whether nothing is left that only this clone has."""
        return not self.waiting


def remote_name(repository: Repository, branch: str) -> str | None:
    """The remote to exchange with: gitchange.remote, the branch's own, `origin`, or the only one."""
    names = repository.remotes()
    short = branch.removeprefix("refs/heads/")
    for candidate in (
        repository.config("gitchange.remote"),
        repository.config(f"branch.{short}.remote"),
        "origin",
    ):
        if candidate in names:
            return candidate
    return names[0] if len(names) == 1 else None


def tracking_notes(remote: str) -> str:
    """The ref in which the remote's notes arrive."""
    return f"refs/gitchange/remotes/{remote}/approvals"


def tracking_branch(remote: str, branch: str) -> str:
    """The ref in which the remote's branch of record arrives."""
    return f"refs/remotes/{remote}/{branch.removeprefix('refs/heads/')}"


def verified_notes(remote: str) -> str:
    """The newest of the remote's notes that were found complete here; no fetch moves it."""
    return f"refs/gitchange/verified/{remote}/approvals"


def verified_branch(remote: str, branch: str) -> str:
    """The newest of the remote's branch of record that was followed here; no fetch moves it."""
    return f"refs/gitchange/verified/{remote}/{branch.removeprefix('refs/')}"


def fetch(repository: Repository, remote: str, branch: str) -> None:
    """Fetch the notes and the branch of record into refs of their own; RemoteError when it fails."""
    short = branch.removeprefix("refs/heads/")
    # A pattern, because a remote that has no notes yet is no error; the branch likewise.
    program.fetch(
        repository,
        remote,
        (
            f"+{notes.REF}*:refs/gitchange/remotes/{remote}/approvals*",
            f"+refs/heads/{short}*:refs/remotes/{remote}/{short}*",
            # Requests that wait for their merge, so that they can be evaluated.
            f"+refs/heads/{PROPOSALS}*:refs/remotes/{remote}/{PROPOSALS}*",
        ),
    )


def lost(repository: Repository, remote: str) -> tuple[str, ...]:
    """What the remote's notes held when they were last seen and do not hold now, line by line, in words."""
    known, theirs = repository.ref(verified_notes(remote)), repository.ref(tracking_notes(remote))
    if known is None or known == theirs:
        return ()
    if theirs is None:
        gone: Iterable[bytes] = (line for _, lines in notes.Notes(repository, known).all() for line in lines)
    else:
        gone = (line for _, line in chain.lost_between(repository, known, theirs))
    return tuple(described(line) for line in gone)


def _refuse_rewritten(repository: Repository, remote: str, branch: str) -> None:
    """Refused when the remote's branch of record neither has nor leads to what it was when it was last seen."""
    known, theirs = (
        repository.ref(verified_branch(remote, branch)),
        repository.ref(tracking_branch(remote, branch)),
    )
    if known is None or theirs is None:
        return
    if repository.is_ancestor(known, theirs) or repository.is_ancestor(theirs, known):
        return  # it went on, or it was rewound: then what it lost is pushed again from here
    short = branch.removeprefix("refs/heads/")
    raise Refused(
        f"{remote}'s {short} was rewritten: it does not contain {known[:12]}, which it had when it was last seen",
        hint=f"find out who did that; `git push --force-with-lease {remote} {known[:12]}:{branch}` restores it. "
        f"Where it was meant, `git update-ref -d {verified_branch(remote, branch)}` forgets the old one",
    )


def _remember(repository: Repository, remote: str, branch: str) -> None:
    """The remote's notes and branch were compared with what it had before, and nothing was lost."""
    theirs, known = repository.ref(tracking_notes(remote)), repository.ref(verified_notes(remote))
    if theirs is not None and theirs != known:
        _note_down(repository, verified_notes(remote), theirs, known, "gitchange: complete")
    theirs, known = (
        repository.ref(tracking_branch(remote, branch)),
        repository.ref(verified_branch(remote, branch)),
    )
    if theirs is not None and (known is None or (known != theirs and repository.is_ancestor(known, theirs))):
        _note_down(repository, verified_branch(remote, branch), theirs, known, "gitchange: complete")


def _note_down(repository: Repository, ref: str, new: str, old: str | None, log: str) -> None:
    """Move a ref that only tells what the remote has; whoever moved it in the meantime has told it too."""
    for attempt in range(5):
        try:
            repository.set_ref(ref, new, old, log)
            return
        except MovedError:
            if repository.ref(ref) != old:
                return
            if attempt == 4:
                raise  # not moved but locked; the error says by what
            time.sleep(0.02 * 2**attempt)


def unite(repository: Repository, remote: str, who: Callable[[], tuple[Person, Person]]) -> int:
    """Unite the fetched notes with ours; how many of the remote's notes commits were new here."""
    theirs = repository.ref(tracking_notes(remote))
    if theirs is None:
        return 0
    ours = repository.ref(notes.REF)
    received = sum(1 for _ in repository.ancestors(theirs, (ours,) if ours else ()))
    _unite_ref(repository, theirs, who, f"gitchange: unite with {remote}")
    return received


def _unite_ref(
    repository: Repository, theirs: str | None, who: Callable[[], tuple[Person, Person]], log: str
) -> None:
    """Bring the lines of a notes commit into our notes, however often somebody else is faster."""
    while True:
        ours = repository.ref(notes.REF)
        united = notes.unite(repository, ours, theirs, who)
        if united is None or united == ours:
            return
        try:
            repository.set_ref(notes.REF, united, ours, log)
            return
        except MovedError:
            if repository.ref(notes.REF) == ours:
                raise  # not moved but locked; the error says by what


def fast_forward(repository: Repository, remote: str, branch: str, report: Report) -> None:
    """Bring the local branch of record to the remote's, when that is a fast-forward."""
    while True:
        theirs = repository.ref(tracking_branch(remote, branch))
        ours = repository.ref(branch)
        if theirs is None or ours == theirs or (ours and repository.is_ancestor(theirs, ours)):
            return
        if ours is not None and not repository.is_ancestor(ours, theirs):
            break
        try:
            log = f"gitchange: fast-forward to {remote}"
            report.kept = move_branch(repository, branch, ours, theirs, log)
            return
        except MovedError:
            continue  # by another process in this clone; it is looked at anew
        except LockedError as error:
            report.problems.append(f"{error.message}; {error.hint}")
            return  # the sign-offs can be sent all the same
    short = branch.removeprefix("refs/heads/")
    report.problems.append(
        f"your {short} and {remote}'s have diverged; `git pull --rebase {remote} {short}`, then `gitchange sync`"
    )


def push(
    repository: Repository, remote: str, branch: str, *, with_branch: bool, report: Report
) -> program.Refusal | None:
    """Push what the remote lacks; why a ref was refused, None when none was."""

    def send(commit: str, ref: str, track: str, *, hooks: bool) -> program.Refusal | None:
        result = program.push(repository, remote, commit, ref, hooks=hooks)
        if result.refusal is not None:
            report.problems.append(f"{remote} refused {ref}: {result.message}")
            if result.refusal == "final" and "gitchange: this push " not in result.message:
                report.mend = _mend(remote, ref)  # our own hook tells what to do
            return result.refusal
        took(commit, ref, track)
        return None

    def took(commit: str, ref: str, track: str) -> None:
        report.sent.append(ref)
        before = repository.ref(track)
        if before != commit:
            _note_down(repository, track, commit, before, "gitchange: pushed")

    # The notes first: the branch may witness them, and must never name what the remote does not have.
    # A user's pre-push hook is about code; it has no say about a sign-off.
    ours = repository.ref(notes.REF)
    tip, theirs = repository.ref(branch), repository.ref(tracking_branch(remote, branch))
    ahead = tip is not None and tip != theirs and (theirs is None or repository.is_ancestor(theirs, tip))
    if ours is not None and ours != repository.ref(tracking_notes(remote)):
        refused = send(ours, notes.REF, tracking_notes(remote), hooks=False)
        if refused == "final" and with_branch and ahead and tip is not None:
            # A server that judges sign-offs wants the texts that they are on, which may be in the branch.
            both = program.push(repository, remote, tip, branch, hooks=True, beside=(ours, notes.REF))
            if both.ok:
                report.problems.clear()
                report.mend = ""
                took(ours, notes.REF, tracking_notes(remote))
                took(tip, branch, tracking_branch(remote, branch))
                return None
        if refused is not None:
            return refused
    if with_branch and ahead and tip is not None:
        return send(tip, branch, tracking_branch(remote, branch), hooks=True)
    return None


def _mend(remote: str, ref: str) -> str:
    """What a user can do whom the remote does not let write a ref."""
    if ref == notes.REF:
        return f"whoever runs {remote} must let you push to {ref} (docs/servers.md); then `gitchange sync` sends it"
    short = ref.removeprefix("refs/heads/")
    return (
        f"{remote} takes {short} from others only, or by merge requests: `git push {remote} {short}:refs/heads/NAME` "
        f"offers it as a branch, and --branch does so from the start"
    )


def exchange(
    repository: Repository,
    branch: str,
    who: Callable[[], tuple[Person, Person]],
    *,
    with_branch: bool,
    sending: bool = True,
    restore: bool = False,
    after: Report | None = None,
) -> Report:
    """Make here and there the same, in these steps:

    1. fetch the notes and the branch of record;
    2. refuse notes that lost what the remote had before, unless it is to be restored, and a branch of record
       that was rewritten;
    3. unite the notes;
    4. fast-forward the branch where that is possible;
    5. push what the remote lacks;
    6. when somebody else was faster, pause for a random moment and start again; so a few times after a refusal in
       unknown words and after a broken connection, and not after one that is final (a hook, a protected branch);
    7. tell what is on the remote and what is still only here.

    `after` is what the same command fetched a moment ago: when that went well, the first attempt begins with 5.
    Being offline is no error of the work that was done: it is in the report.
    """
    settle(repository)
    remote = remote_name(repository, branch)
    report = Report(remote)
    if remote is None:
        return report
    idle, seen = 0, None
    fetched = after is not None and after.remote == remote and not after.problems
    for attempt in range(ATTEMPTS):
        sent = False
        report.problems.clear()
        report.refused = False
        # 1. to 5.
        try:
            with _alone(repository):
                refused = _once(
                    repository,
                    remote,
                    branch,
                    who,
                    report,
                    with_branch=with_branch,
                    sending=sending,
                    restore=restore,
                    fetched=fetched and attempt == 0,
                )
            sent = sending and refused is None
            report.refused = refused is not None
        except program.ConnectionBrokenError as error:
            report.problems.append(error.message)
            refused = "unknown"
        except program.NoAccessError as error:
            report.problems.append(error.message)
            report.mend, report.refused = error.hint, sending
            break
        except RemoteError as error:
            report.problems.append(error.message)
            break
        except WriteError as error:  # what was signed is kept: its own ref is another
            report.problems.append(f"{error.message}; {error.hint}")
            break
        # 6.
        if refused is None or refused == "final":
            break
        tips = repository.ref(tracking_notes(remote)), repository.ref(tracking_branch(remote, branch))
        idle = 0 if refused == "race" and tips != seen else idle + 1
        seen = tips
        if idle == DOUBTFUL_ATTEMPTS or attempt + 1 == ATTEMPTS:
            break
        report.retries += 1
        time.sleep(_pause(attempt, idle))
    # 7.
    _tell_waiting(repository, remote, branch, report, sent=sent, with_branch=with_branch)
    return report


@contextmanager
def _alone(repository: Repository) -> Iterator[None]:
    """Keep other gitchanges of this clone waiting: a fetch by one would set back what another has just pushed."""
    folder = repository.common_dir / "gitchange" / "exchange"
    with writing(repository.common_dir):
        folder.mkdir(parents=True, exist_ok=True)
    with alone(folder, repository.places):
        yield


def _pause(attempt: int, idle: int) -> float:
    """Seconds until the next attempt: growing ones for a remote that is unwell, shrinking ones in a crowd.

    In a crowd each refusal means that somebody else is done, so nobody needs to hold back for the sake of all;
    and whoever was refused more often waits less, or the last to come would be served first.
    """
    longest = 0.5 * 2**idle if idle else max(0.1, 0.8**attempt)
    import random  # noqa: PLC0415 - loaded where it is used

    return random.uniform(longest / 10, longest)  # noqa: S311


def _once(
    repository: Repository,
    remote: str,
    branch: str,
    who: Callable[[], tuple[Person, Person]],
    report: Report,
    *,
    with_branch: bool,
    sending: bool,
    restore: bool,
    fetched: bool,
) -> program.Refusal | None:
    """Steps 1 to 5 of an exchange; why the remote refused a ref, None when it refused none."""
    if not fetched:
        _take(repository, remote, branch, who, report, restore=restore)
    # 5.
    if not sending:
        return None
    refused = push(repository, remote, branch, with_branch=with_branch, report=report)
    if refused is None:
        _remember(repository, remote, branch)
    return refused


def _take(
    repository: Repository,
    remote: str,
    branch: str,
    who: Callable[[], tuple[Person, Person]],
    report: Report,
    *,
    restore: bool,
) -> None:
    """Steps 1 to 4 of an exchange."""
    # 1.
    fetch(repository, remote, branch)
    # 2.
    gone = lost(repository, remote)
    if gone and not restore:
        listing = "\n".join(f"  {words}" for words in gone)
        raise Refused(
            f"{remote} lost {len(gone)} line(s) of the notes that it had when it was last seen:\n{listing}",
            hint="find out who did that; `gitchange sync --restore` puts them back from this clone",
        )
    _refuse_rewritten(repository, remote, branch)
    if gone:
        report.restored = gone
        known = repository.ref(verified_notes(remote))
        _unite_ref(repository, known, who, f"gitchange: restore what {remote} lost")
    # 3. and 4.
    report.received += unite(repository, remote, who)
    fast_forward(repository, remote, branch, report)
    if not gone:
        _remember(repository, remote, branch)


def _tell_waiting(
    repository: Repository, remote: str, branch: str, report: Report, *, sent: bool, with_branch: bool
) -> None:
    """What is still only here; what another process of this clone has added since is that one's to send."""
    ours, theirs = repository.ref(notes.REF), repository.ref(tracking_notes(remote))
    if not sent and ours is not None and ours != theirs:
        count = sum(1 for _ in repository.ancestors(ours, (theirs,) if theirs else ()))
        report.waiting.append(f"{count} notes commit(s) with sign-offs")
    tip, known = repository.ref(branch), repository.ref(tracking_branch(remote, branch))
    if sent and with_branch and tip and known and repository.is_ancestor(known, tip):
        return
    if tip is not None and tip != known:
        count = sum(1 for _ in repository.ancestors(tip, (known,) if known else ()))
        if count:
            report.waiting.append(f"{count} commit(s) on {branch.removeprefix('refs/heads/')}")
