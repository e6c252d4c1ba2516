"""`hook pre-receive`: may this push land on the server?

Everything is judged as it would be after the push, all its refs together, by the same rooms that `verify` asks; and
only what is new, because the server has judged the rest before. `hook_main` looks at the branch of record, `hook_notes`
at the notes; here is which refs may move at all. Nothing is written, neither to the repository nor to its quarantine.
"""

from __future__ import annotations

from gitchange.assessment.assess import Assessor
from gitchange.errors import Refused, UsageError
from gitchange.ledger import chain, documents, notes
from gitchange.ledger.documents import INTRODUCTION_KEY, Policies
from gitchange.ledger.remote import tracking_notes
from gitchange.ledger.signoffs import described
from gitchange.model import policy as policies
from gitchange.model.finding import Finding
from gitchange.values import Value
from gitchange.workflow import hook_main, hook_notes

TYPE_CHECKING = False
if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Sequence

    from gitchange.git.repository import Repository

_TOLD = 5
"""How many of the lines that a push would take away are named."""


class Update(Value):
    """One ref of a push, as git tells it to the hook (githooks(5), pre-receive)."""

    ref: str
    """Full name."""
    old: str | None
    """What the server has; None when the push makes the ref."""
    new: str | None
    """What it would have; None when the push deletes the ref."""


class Refusal(Value):
    """One reason why a push may not land."""

    ref: str
    finding: Finding


class Answer(Value):
    """What the hook says."""

    refusals: tuple[Refusal, ...]
    """Why not; empty when the push may land."""
    advice: tuple[str, ...] = ()
    """What the pusher, or whoever runs the server, should know besides."""


def judge_push(
    repository: Repository, updates: Sequence[Update], now: dt.datetime, *, introduction: str | None = None
) -> Answer:
    """Judge a push, in these steps; what 1. to 3. refuse is told at once, since the rest stands on it:

    1. no ref has a name that others would mistake for another's, or that changes what they read;
    2. it is clear which branch is the branch of record: the server's HEAD names it, and so does its own policy;
    3. the branch of record and the notes go on from where they are now: not deleted, not rewound, not put aside;
    4. the introduction is the pinned one, or the one that the server had;
    5. what is new on the branch of record holds (`hook_main`);
    6. what is new in the notes holds (`hook_notes`).

    All other branches and tags are free: they are work in progress. Raises RepositoryError when something cannot be
    read: whoever cannot judge a push does not take it.
    """
    after = repository.with_refs({update.ref: update.new for update in updates})
    branch = repository.head_ref()
    main = next((update for update in updates if update.ref == branch), None)
    noted = next((update for update in updates if update.ref == notes.REF), None)
    # 1. to 3.
    refused = [*_names(repository, updates, branch), *_continuity(repository, main, noted)]
    if not refused:
        refused += _record_branch(after, branch, main)
    if refused or branch is None or (main is None and noted is None):
        return Answer(tuple(refused))
    # 4.
    pinned = introduction or repository.config(INTRODUCTION_KEY)
    try:
        assessor = Assessor(after, now, introduction=pinned or _known_introduction(repository, branch))
    except (UsageError, Refused) as error:
        finding = Finding("introduction.other", error.message, error.hint)
        return Answer((Refusal(branch, finding),))
    # 5.
    found: list[Refusal] = []
    if main is not None:
        found += [Refusal(branch, finding) for finding in hook_main.refusals(assessor, main.old)]
    if assessor.policy is None and not found:
        found = [Refusal(branch, finding) for finding in _no_policy(assessor)]
    # 6.
    advice: list[str] = []
    if noted is not None:
        tips = tuple(update.new for update in updates if update.new and after.has_commit(update.new))
        lines = tuple(hook_notes.refusals(assessor, noted.old, tips))
        found += [Refusal(notes.REF, finding) for finding in lines]
        if any(finding.code != "note.on-nothing" for finding in lines):
            back = f"{notes.REF} {tracking_notes('origin')}" if noted.old else f"-d {notes.REF}"
            advice.append(
                "what is refused stays in your clone's notes until you set them back to the server's and sign again: "
                f"`gitchange sync; git update-ref {back}`"
            )
    if pinned is None:
        advice.append(
            "the introduction is not pinned on this server; whoever runs it should: "
            f"git -C {repository.git_dir} config {INTRODUCTION_KEY} {assessor.ground.introduction}"
        )
    return Answer(tuple(dict.fromkeys(found)), tuple(advice))


def _names(repository: Repository, updates: Sequence[Update], branch: str | None) -> Iterator[Refusal]:
    """1. Names that confuse, and refs that change what others read. Deleting one is mending."""
    short = (branch or "").removeprefix("refs/heads/")
    notes_short = notes.REF.removeprefix("refs/")
    for update in updates:
        ref = update.ref
        kind, _, name = ref.removeprefix("refs/").partition("/")
        if (other := repository.alias(ref)) is not None:
            why = f"on this server it is another name of {other}"
        elif update.new is None or ref in (branch, notes.REF):
            continue
        elif kind == "replace":
            why = "it would put other objects in the place of those that were signed"
        elif kind == "gitchange":
            why = "there each clone keeps what it has verified; that is not shared"
        elif f"{ref}/".startswith("refs/notes/gitchange/"):
            why = f"all sign-offs are in {notes.REF}"
        elif name in ("HEAD", notes_short) or name.startswith("refs/"):
            why = "the short name would be mistaken for another ref's"
        elif kind == "tags" and name == short:
            why = f"git would mistake it for the branch of record, which is {branch}"
        else:
            continue
        finding = Finding(
            "ref.not-allowed", f"nobody may push {ref}: {why}", "push it by another name, or not at all"
        )
        yield Refusal(ref, finding)


def _continuity(repository: Repository, main: Update | None, noted: Update | None) -> Iterator[Refusal]:
    """3. What is witnessed and signed is never taken back."""
    for update in (main, noted):
        # The pusher's client says what was there, and git compares only afterwards, each ref for itself: what is
        # judged together must not begin at what somebody made up.
        if update is not None and repository.ref(update.ref) != update.old:
            message = f"somebody else moved {update.ref} in the meantime"
            yield Refusal(update.ref, Finding("ref.moved", message, "fetch, then push again"))
            return
    if noted is not None and noted.new is None:
        message = "the notes hold every sign-off; they cannot be deleted"
        yield Refusal(notes.REF, Finding("notes.deleted", message, "nothing in them is ever taken back"))
    elif noted is not None and noted.new is not None:
        yield from (
            Refusal(notes.REF, finding) for finding in _rewound_notes(repository, noted.old, noted.new)
        )
    if main is None:
        return
    short = main.ref.removeprefix("refs/heads/")
    if main.new is None:
        message = f"{short} is the branch of record; it cannot be deleted"
        yield Refusal(main.ref, Finding("main.deleted", message, "push what you want as another branch"))
    elif not repository.has_commit(main.new):
        yield Refusal(main.ref, Finding("main.no-commit", f"{main.new[:12]} is no commit", "push a commit"))
    elif main.old is None:
        return
    elif not repository.is_ancestor(main.old, main.new):
        message = f"{short} was {main.old[:12]} here, and {main.new[:12]} does not contain that"
        hint = f"the branch of record is never rewritten: `git pull --rebase` puts your commits on top of {short}"
        yield Refusal(main.ref, Finding("main.rewritten", message, hint))
    elif main.old not in repository.first_parents(main.new):
        message = (
            f"a merge would put {main.old[:12]}, at which {short} was here, aside as what was merged in; "
            "the first-parent line is what happened on the branch of record"
        )
        hint = (
            f"merge into {short} and not the other way round: `git rebase origin/{short}`, or a merge request"
        )
        yield Refusal(main.ref, Finding("main.put-aside", message, hint))


def _rewound_notes(repository: Repository, old: str | None, new: str) -> Iterator[Finding]:
    if not repository.has_commit(new):
        yield Finding("notes.no-commit", f"{new[:12]} is no commit of notes", "git notes makes such commits")
    elif old is not None and not repository.is_ancestor(old, new):
        lost = [described(line) for _, line in chain.lost_between(repository, old, new)]
        which = f" and would lose {len(lost)} line(s)" if lost else ""
        yield Finding(
            "notes.rewound",
            f"the notes {new[:12]} do not contain {old[:12]}, which the server has{which}",
            "`gitchange sync` unites your notes with the server's; they are never forced",
        )
        yield from (Finding("notes.line-lost", f"lost: {words}") for words in lost[:_TOLD])


def _record_branch(after: Repository, branch: str | None, main: Update | None) -> Iterator[Refusal]:
    """2. A push to a branch that only looks like another would not be judged, so the server must say which it is."""
    tip = after.ref(branch) if branch is not None else None
    name = branch or "HEAD"
    if branch is None or tip is None:
        where = f"{name}, which is not here" if branch else "no branch"
        message = f"this server's HEAD names {where}, so nobody knows the branch of record"
        hint = (
            "push that branch first; or whoever runs the server names the right one: "
            f"git -C {after.git_dir} symbolic-ref HEAD refs/heads/main"
        )
        yield Refusal(name, Finding("server.head", message, hint))
        return
    policy, _ = Policies(after).at(tip)
    if policy is None:
        if main is None:
            message = f"{name} has no policy that can be read, so nothing can be judged"
            hint = "mend the policy first: `gitchange check` tells what is wrong with it"
            yield Refusal(name, Finding("policy.unreadable", message, hint))
    elif policy.main != branch and (main is not None or after.ref(policy.main) is not None):
        message = f"the policy names {policy.main} as the branch of record, this server's HEAD names {branch}"
        hint = f"whoever runs the server: git -C {after.git_dir} symbolic-ref HEAD {policy.main}"
        yield Refusal(name, Finding("server.head", message, hint))


def _known_introduction(repository: Repository, branch: str) -> str | None:
    """4. The introduction that the server has had so far: no push can put another in its place."""
    tip = repository.ref(branch)
    if tip is None or repository.entry(repository.tree_of(tip), policies.ROOT) is None:
        return None
    return documents.first_with_policy(repository, tip)


def _no_policy(assessor: Assessor) -> tuple[Finding, ...]:
    found = tuple(finding for finding in assessor.policy_findings if finding.severity == "error")
    return found or (
        Finding(
            "policy.not-in-force",
            "no approved policy is in force on the branch of record, so nothing can be judged",
            "bring the last approved one back: `gitchange policy show` tells which that is",
        ),
    )
