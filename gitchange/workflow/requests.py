"""`new`, `check` and `schema`: change files before anybody signs them."""

from __future__ import annotations

import datetime as dt
import os
import tomllib
from pathlib import Path

from gitchange.errors import GitchangeError, Refused, UsageError
from gitchange.git import program
from gitchange.git.repository import FILE
from gitchange.git.work_tree import move_branch, settle, write_file
from gitchange.ledger import documents, notes
from gitchange.ledger.remote import PROPOSALS
from gitchange.ledger.signoffs import signers_of
from gitchange.lifecycle.rehearse import foresee
from gitchange.model import identifiers, policy, settings
from gitchange.model.change import Change, parse_change, write_change
from gitchange.model.crosscheck import crosscheck
from gitchange.model.finding import Finding, has_errors, in_order
from gitchange.model.part import Part
from gitchange.model.policy import load_policy
from gitchange.model.text import described
from gitchange.signing.certificates import INSTALL
from gitchange.values import Value, replace
from gitchange.workflow.landing import Landed, land
from gitchange.workflow.proposing import propose
from gitchange.workflow.witnessing import trailers
from gitchange.workflow.workspace import retrying

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from gitchange.git.repository import Repository
    from gitchange.ledger.remote import Report
    from gitchange.model.policy import Policy
    from gitchange.signing.certificates import Certificates
    from gitchange.workflow.proposing import Proposed
    from gitchange.workflow.workspace import Workspace

_FEW = 64
"""Up to so many files git finds the history of each faster than that of all."""


class Created(Value):
    """A new change file."""

    change: str
    path: str
    target: Path | None
    """Where it lies in the work tree; None in a bare repository."""
    commit: str | None
    """The commit that holds it, when it was to be committed."""
    report: Report | None = None
    foreseen: tuple[Finding, ...] = ()
    """What will stand in its way: a freeze, the bounds of its model, too few people."""
    proposed: Proposed | None = None
    """The branch that waits to be merged, when it was committed on one of its own."""


class InvalidChange(Refused):
    """The change file that was to be written has errors; `findings` names them all."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__("the change file would have errors, so nothing was written")
        self.findings = findings


def fresh_id(workspace: Workspace) -> str:
    """An id that nobody uses here."""
    known = workspace.assessor.known_ids
    work_dir = workspace.repository.work_dir
    while True:
        candidate = identifiers.new_id(workspace.now.astimezone(dt.UTC).date(), os.urandom(3))
        taken = work_dir is not None and (work_dir / identifiers.path_of(candidate)).exists()
        if candidate not in known and not taken:
            return candidate


def from_text(workspace: Workspace, raw: bytes, name: str) -> bytes:
    """A change file from one without id: `schema`, `id` and `requester` are put in front when missing.

    The text itself stays as it is, comments included.
    """
    try:
        data = tomllib.loads(raw.decode("utf-8"))
    except (UnicodeDecodeError, ValueError, RecursionError):
        # Not readable as it stands; its problems are told with the lines that its writer knows.
        parsed = parse_change(raw, identifiers.path_of("CHG-20000101-0000"))
        problems = [f for f in parsed.findings if f.code.startswith("toml.")]
        raise InvalidChange(as_given(problems, name, 0)) from None
    front: dict[str, Any] = {}
    if "schema" not in data:
        front["schema"] = 1
    if "id" not in data:
        front["id"] = fresh_id(workspace)
    if "requester" not in data:
        front["requester"] = workspace.me()
    lines = "".join(f"{key} = {value!r}\n".replace("'", '"') for key, value in front.items())
    return lines.encode() + raw


def as_given(findings: Iterable[Finding], name: str, added: int) -> tuple[Finding, ...]:
    """Findings with the file name and the lines that the writer of `--from FILE` knows.

    `added` lines were put in front of the text.
    """
    return tuple(replace(f, path=name, line=max(f.line - added, 0), change="") for f in findings)


def from_fields(workspace: Workspace, fields: Mapping[str, Any]) -> bytes:
    """A change file from its fields; id and schema are added."""
    return write_change({"schema": 1, "id": fresh_id(workspace), **fields})


def new(
    workspace: Workspace, raw: bytes, *, commit: bool, push: bool = True, proposal: str | None = None
) -> Created:
    """Write a change file, in these steps:

    1. it must be valid against its schema and the policy: InvalidChange names everything that is not;
       what will stand in its way later is told, and hinders nothing;
    2. an id that is used already is refused;
    3. write it to the work tree and, when asked, commit it on the branch that HEAD names; or, with `proposal`, on
       the branch of that name ("" for change/ID) for a merge request: then HEAD and the work tree stay as they are;
    4. push it when that is the branch of record.
    """
    settle(workspace.repository)
    # 1. Valid.
    given = tomllib.loads(raw.decode("utf-8")).get("id") if _readable(raw) else None
    path = identifiers.path_of(given) if isinstance(given, str) and identifiers.is_id(given) else ""
    parsed = parse_change(raw, path or identifiers.path_of("CHG-20000101-0000"))
    known = workspace.assessor.known_ids
    found = [*parsed.findings, *crosscheck(parsed, workspace.policy, known)]
    if parsed.change is not None and parsed.change.record is not None:
        found.append(
            Finding("change.has-record", "a new change cannot carry a record", "remove [record]", path=path)
        )
    if has_errors(found) or parsed.change is None:
        raise InvalidChange(in_order(found))
    change = parsed.change
    foreseen = foresee(change, workspace.policy, workspace.now)
    # 2. Unused.
    repository = workspace.repository
    target = repository.work_dir / change.path if repository.work_dir else None
    used = Refused(f"the id {change.id} is used already", hint="leave `id` out and `gitchange new` makes one")
    if change.id in known or (target is not None and target.exists()):
        raise used
    # 3. Written.
    message = f"Request {change.id}: {change.title}\n\n"
    if proposal is not None or (commit and workspace.by_merge_request):
        report = workspace.exchange(with_branch=False, sending=False) if push else None
        entries = {change.path: (repository.write_blob(raw), FILE)}
        name = proposal or f"{PROPOSALS}{change.id}"
        proposed = propose(workspace.fresh(), name, entries, message + trailers(change.id, None), push=push)
        return Created(change.id, change.path, None, proposed.commit, report, foreseen, proposed)
    if target is None and not commit:
        raise UsageError("a bare repository has no work tree to write into", hint="add --commit")
    if not commit:
        assert target is not None  # noqa: S101 - just checked
        write_file(repository, change.path, raw)
        return Created(change.id, change.path, target, None, foreseen=foreseen)
    report = workspace.exchange(with_branch=False, sending=False) if push else None
    branch = repository.head_ref()
    if branch is None:
        raise UsageError("HEAD is detached, so there is no branch to commit to", hint="`git switch BRANCH`")

    def record(_: Workspace) -> Landed:
        old = repository.ref(branch)
        if old is None:
            raise UsageError("the branch has no commit yet", hint="`gitchange init` makes the first one")
        if repository.entry(repository.tree_of(old), change.path) is not None:
            raise used  # by somebody who was faster
        tree = repository.edit_tree(
            repository.tree_of(old), {change.path: (repository.write_blob(raw), FILE)}
        )
        witnessed = repository.ref(notes.REF) if branch == workspace.branch else None
        text = message + trailers(change.id, witnessed)
        made = repository.write_commit(tree, (old,), text, *workspace.who())
        kept = move_branch(repository, branch, old, made, f"gitchange new {change.id}")
        return Landed(old, made, kept)

    # 4. Pushed.
    if push and branch == workspace.branch:
        made, report = land(workspace, record, push=push, command="new")
    else:
        made = retrying(lambda: record(workspace))
    return Created(change.id, change.path, target, made.commit, report, foreseen)


def _readable(raw: bytes) -> bool:
    try:
        tomllib.loads(raw.decode("utf-8"))
    except (UnicodeDecodeError, ValueError, RecursionError):
        return False
    return True


class Checked(Value):
    """What `check` looked at and found."""

    files: int
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether there is no error."""
        return not has_errors(self.findings)


def check(
    repository: Repository,
    now: dt.datetime,
    paths: Sequence[Path] = (),
    *,
    base: str | None = None,
    at: str | None = None,
) -> Checked:
    """Check change files and policy as they stand, committed or not:

    1. the policy must be readable;
    2. every file under changes/ must be a change file at the path that its id says;
    3. its references must lead somewhere, and no id may stand twice;
    4. a documented change must be as it was documented;
    5. of the files that are asked about (`paths`, `base`), what will stand in their way, as warnings.

    Reads the work tree; with `at`, or in a bare repository, that commit. With `paths` only those files,
    with `base` only files that differ from that revision. Without a readable policy the files are
    still checked as far as they go by themselves.
    """
    head = repository.resolve(at) if at else repository.ref("HEAD")
    source = _Tree(repository, head) if at or repository.work_dir is None else WorkTree(repository.work_dir)
    found: list[Finding] = []
    # 1. The policy.
    files = source.below(policy.ROOT)
    loaded: Policy | None = None
    if files:
        loaded, problems = load_policy({p.removeprefix(f"{policy.ROOT}/"): source.read(p) for p in files}, "")
        found += problems
        if loaded is not None:
            found += signer_findings(loaded, now)
    else:
        found.append(Finding("policy.missing", "there is no policy/ folder", "`gitchange init` writes one"))
    raw_settings = source.read(settings.PATH) if settings.PATH in source.below("") else None
    if raw_settings is not None:
        found += settings.parse_settings(raw_settings)[1]
    # 2. The files.
    everything = source.below(identifiers.ROOT)
    wanted = _wanted(repository, everything, paths, base, head)
    known = {identifiers.id_of(path) or "" for path in everything} - {""}
    claimed: dict[str, list[str]] = {}
    documented = _documented(
        repository, _start(repository, base, head) if base else head, wanted if paths else None
    )
    for path in everything:
        if path not in wanted:
            continue
        if not source.is_file(path):
            found.append(Finding("change.stray-file", f"{path} is no regular file", "remove it", path=path))
            continue
        raw = source.read(path)
        parsed = parse_change(raw, path)
        found += parsed.findings
        # 3. References and ids.
        if loaded is not None:
            found += crosscheck(parsed, loaded, known)
            # 5. What awaits it.
            if (paths or base) and parsed.change is not None and parsed.change.record is None:
                awaited = foresee(parsed.change, loaded, now)
                found += [replace(f, path=path, change=parsed.change.id) for f in awaited]
        given = parsed.document.data.get("id")
        if isinstance(given, str) and identifiers.is_id(given):
            claimed.setdefault(given, []).append(path)
        # 4. Documented changes.
        if path in documented and repository.hash_blob(raw) != documented[path][0]:
            found.append(
                Finding(
                    "record.edited",
                    "the change is documented and cannot be edited any more",
                    f"`git checkout {documented[path][1][:12]} -- {path}`; "
                    "what must be corrected is a new change that `amends` it",
                    path=path,
                    change=identifiers.id_of(path) or "",
                )
            )
        elif path not in documented and parsed.change is not None and parsed.change.record is not None:
            found.append(
                Finding(
                    "record.by-hand",
                    "the file has a record that no commit documented",
                    "`gitchange document` writes the record",
                    "warning" if base else "error",
                    path,
                    change=parsed.change.id,
                )
            )
    for path in documented.keys() - set(everything):
        if not paths:
            found.append(
                Finding(
                    "record.removed",
                    "a documented change was removed",
                    f"`git checkout {documented[path][1][:12]} -- {path}`",
                    path=path,
                )
            )
    for change, places in claimed.items():
        if len(places) > 1:
            for path in places:
                others = ", ".join(p for p in places if p != path)
                found.append(
                    Finding(
                        "change.duplicate-id",
                        f"the id {change} also stands in {others}",
                        "give one of them a new id: `gitchange new --from FILE` makes one",
                        path=path,
                        key="id",
                    )
                )
    return Checked(len(wanted), in_order(found))


def signer_findings(loaded: Policy, now: dt.datetime) -> list[Finding]:
    """What is wrong with policy/allowed_signers and policy/openpgp/, as findings."""
    path = f"{policy.ROOT}/{policy.SIGNERS_FILE}"
    known = signers_of(loaded)
    signers = known.ssh
    found = [
        Finding(
            "policy.allowed-signers", message, "see ALLOWED SIGNERS in ssh-keygen(1)", "error", path, line, 1
        )
        for line, message in signers.problems
    ]
    owners: dict[bytes, set[str]] = {}
    for entry in signers.entries:
        if entry.cert_authority:
            continue
        if any(character in entry.principals for character in "*?!"):
            message = f"the line gives one key to everybody who matches {entry.principals!r}"
            hint = "name one person; wildcards are for cert-authority lines"
            found.append(Finding("policy.shared-key", message, hint, "error", path, entry.line, 1))
        owners.setdefault(entry.key.blob, set()).update(entry.patterns)
        if len(owners[entry.key.blob]) > 1:
            names = ", ".join(sorted(owners[entry.key.blob]))
            message = f"the key {entry.key.fingerprint} belongs to several persons: {names}"
            found.append(
                Finding("policy.shared-key", message, "give each person a key", "error", path, entry.line, 1)
            )
    found += _certificate_findings(loaded, known.openpgp, now)
    for person in loaded.signing_people:
        if not known.knows(person):
            message = f"{person} holds a role and has no key: that person cannot sign"
            found.append(
                Finding("policy.no-key", message, "add a line with the person's key", "warning", path)
            )
    return found


def _certificate_findings(loaded: Policy, certificates: Certificates, now: dt.datetime) -> Iterator[Finding]:
    """What is wrong with policy/openpgp/: unreadable files, keys of several persons, keys that cannot sign now."""

    def file_of(person: str) -> str:
        return f"{policy.ROOT}/{policy.OPENPGP}{person}{policy.CERTIFICATES}"

    if certificates.missing:
        message = f"the OpenPGP certificates cannot be checked here: {certificates.missing}"
        folder = f"{policy.ROOT}/{policy.OPENPGP}"
        yield Finding(
            "policy.openpgp-unchecked",
            message,
            f"install what checks them: {INSTALL}",
            "warning",
            folder.rstrip("/"),
        )
        return
    for problem in certificates.problems:
        yield Finding("policy.openpgp", problem.message, problem.hint, "error", file_of(problem.principal))
    for key, persons in certificates.shared.items():
        message = f"the key openpgp:{key} belongs to several persons: {', '.join(persons)}"
        yield Finding("policy.shared-key", message, "give each person a key", "error", file_of(persons[-1]))
    for person in loaded.openpgp:
        if certificates.of(person) and (reason := certificates.why_unable(person, now)):
            message = f"{person} cannot sign with OpenPGP now: {reason}"
            hint = "have the person's new certificate put there"
            yield Finding("policy.unusable-key", message, hint, "warning", file_of(person))


class _Tree:
    """Files as a commit has them."""

    def __init__(self, repository: Repository, commit: str | None) -> None:
        self._repository = repository
        tree = repository.tree_of(commit) if commit else None
        self._files = {entry.path: entry for entry in repository.walk(tree)} if tree else {}

    def below(self, folder: str) -> list[str]:
        prefix = f"{folder}/" if folder else ""
        return sorted(path for path in self._files if path.startswith(prefix))

    def is_file(self, path: str) -> bool:
        return self._files[path].is_file

    def read(self, path: str) -> bytes:
        return self._repository.blob(self._files[path].id)


class WorkTree:
    """Files as they lie in the work tree."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def below(self, folder: str) -> list[str]:
        if not folder:
            return sorted(path.name for path in self._root.iterdir() if path.is_file())
        top = self._root / folder
        below = (p for p in top.rglob("*") if p.is_symlink() or not p.is_dir())
        return sorted(p.relative_to(self._root).as_posix() for p in below)

    def is_file(self, path: str) -> bool:
        target = self._root / path
        return target.is_file() and not target.is_symlink()

    def read(self, path: str) -> bytes:
        target = self._root / path
        if target.is_symlink():
            raise GitchangeError(f"{path} is a symbolic link", hint="put the file itself there")
        return target.read_bytes()


def _wanted(
    repository: Repository,
    everything: Iterable[str],
    paths: Sequence[Path],
    base: str | None,
    head: str | None,
) -> set[str]:
    """Which files are to be checked."""
    present = set(everything)
    if paths:
        root = (repository.work_dir or Path.cwd()).resolve()
        wanted: set[str] = set()
        for path in paths:
            try:
                relative = path.resolve().relative_to(root).as_posix()
            except ValueError:
                raise UsageError(f"{path} is not in this repository") from None
            hits = {p for p in present if p == relative or p.startswith(f"{relative}/") or relative == "."}
            if not hits and not path.is_dir():
                raise UsageError(
                    f"there is no change file {relative}", hint="change files lie under changes/"
                )
            wanted |= hits
        return wanted
    if base is not None and head is not None:
        before = {e.path: e.id for e in documents.change_files(repository, _start(repository, base, head))}
        source = WorkTree(repository.work_dir) if repository.work_dir else _Tree(repository, head)
        return {
            p
            for p in present
            if not source.is_file(p) or repository.hash_blob(source.read(p)) != before.get(p)
        }
    return present


def _start(repository: Repository, base: str, head: str | None) -> str:
    """Where a branch left its base; the base itself when they share nothing."""
    commit = repository.resolve(base)
    return (repository.merge_base(commit, head) if head else None) or commit


def _documented(
    repository: Repository, tip: str | None, paths: Collection[str] | None
) -> dict[str, tuple[str, str]]:
    """What was documented before a commit, of these files or of all: the first blob with a record, and its commit."""
    found: dict[str, tuple[str, str]] = {}
    if tip is None or (paths is not None and not paths):
        return found
    few = paths is not None and len(paths) <= _FEW
    searched = sorted(paths) if few and paths else [identifiers.ROOT]
    for touch in program.touches(repository, tip, *searched):  # the oldest last
        if (
            touch.blob
            and (paths is None or touch.path in paths)
            and repository.has(touch.blob)
            and b"[record]\n" in (raw := repository.blob(touch.blob))
        ):
            change = parse_change(raw, touch.path).change
            if change is not None and change.record is not None:
                found[touch.path] = (touch.blob, touch.commit)
    return found


def schema() -> dict[str, Any]:
    """The JSON Schema of a change file, for editors."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:x-gitchange:schema:change:v1",
        **described(Change.model_json_schema(), Part),
    }
