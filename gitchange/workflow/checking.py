"""`check` and `schema`: change files and policy as they stand, committed or not. Loads as little as it can."""

from __future__ import annotations

import datetime as dt
from collections.abc import Container
from pathlib import Path

from gitchange.errors import GitchangeError, UsageError
from gitchange.git import program
from gitchange.index import histories
from gitchange.ledger import documents
from gitchange.ledger.signoffs import signers_of
from gitchange.lifecycle.rehearse import foresee
from gitchange.model import identifiers, policy, settings
from gitchange.model.change import Change, parse_change
from gitchange.model.crosscheck import crosscheck
from gitchange.model.finding import Finding, has_errors, in_order
from gitchange.model.part import Part
from gitchange.model.policy import load_policy
from gitchange.model.text import described
from gitchange.signing.certificates import INSTALL
from gitchange.values import Value, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from typing import Any

    from gitchange.git.repository import Repository
    from gitchange.model.policy import Policy
    from gitchange.signing.certificates import Certificates

_FEW = 64
"""Up to so many files git finds the history of each faster than that of all."""


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
    5. of the files that are asked about (`paths`, `base`), what will stand in their way, as warnings;
    6. files that are asked about and lie elsewhere are drafts, which need no id yet: what `new --from` would say.

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
    raw_settings = source.read(settings.PATH) if source.has(settings.PATH) else None
    if raw_settings is not None:
        found += settings.parse_settings(raw_settings)[1]
    drafts = [path for path in paths if _is_draft(repository, path)]
    # 2. The files.
    everything = (
        _named(repository, source, set(paths) - set(drafts)) if paths else source.below(identifiers.ROOT)
    )
    wanted = (
        set(everything) if paths or base is None else _differing(repository, source, everything, base, head)
    )
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
            found += crosscheck(parsed, loaded, _Ids(source))
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
    # 6. Drafts.
    for draft in drafts:
        from gitchange.workflow import requests  # noqa: PLC0415 - loads what writes changes

        found += requests.problems_of_draft(draft.read_bytes(), str(draft), loaded, _Ids(source))
    return Checked(len(wanted) + len(drafts), in_order(found))


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

    def has(self, path: str) -> bool:
        """Whether something is there that is no folder."""
        return path in self._files

    def is_file(self, path: str) -> bool:
        return path in self._files and self._files[path].is_file

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

    def has(self, path: str) -> bool:
        """Whether something is there that is no folder."""
        target = self._root / path
        return target.is_symlink() or (target.exists() and not target.is_dir())

    def is_file(self, path: str) -> bool:
        target = self._root / path
        return target.is_file() and not target.is_symlink()

    def read(self, path: str) -> bytes:
        target = self._root / path
        if target.is_symlink():
            raise GitchangeError(f"{path} is a symbolic link", hint="put the file itself there")
        return target.read_bytes()


class _Ids(Container[str]):
    """Ids of the changes that lie where they belong, looked up one by one."""

    def __init__(self, source: _Tree | WorkTree) -> None:
        self._source = source

    def __contains__(self, change: object) -> bool:
        return (
            isinstance(change, str)
            and identifiers.is_id(change)
            and self._source.has(identifiers.path_of(change))
        )


def _is_draft(repository: Repository, path: Path) -> bool:
    """Whether a file is none of the repository's own documents, and may be a change file to be."""
    if path.suffix != ".toml" or not path.is_file():
        return False
    root = (repository.work_dir or Path.cwd()).resolve()
    try:
        first, *below = path.resolve().relative_to(root).parts
    except ValueError:
        return True
    return first not in (identifiers.ROOT, policy.ROOT) and (bool(below) or first != settings.PATH)


def _named(repository: Repository, source: _Tree | WorkTree, paths: Iterable[Path]) -> list[str]:
    """The change files that these paths name, or that lie below them."""
    root = (repository.work_dir or Path.cwd()).resolve()
    wanted: set[str] = set()
    for path in paths:
        try:
            relative = path.resolve().relative_to(root).as_posix()
        except ValueError:
            raise UsageError(f"{path} is not in this repository") from None
        if relative == ".":
            hits = source.below(identifiers.ROOT)
        elif not f"{relative}/".startswith(f"{identifiers.ROOT}/"):
            hits = []
        else:
            hits = [relative] if source.has(relative) else source.below(relative)
        if not hits and not path.is_dir():
            raise UsageError(f"there is no change file {relative}", hint="change files lie under changes/")
        wanted.update(hits)
    return sorted(wanted)


def _differing(
    repository: Repository,
    source: _Tree | WorkTree,
    everything: Iterable[str],
    base: str,
    head: str | None,
) -> set[str]:
    """Which of these files differ from what they were where the branch left its base."""
    if head is None:
        return set(everything)
    before = {e.path: e.id for e in documents.change_files(repository, _start(repository, base, head))}
    return {
        path
        for path in everything
        if not source.is_file(path) or repository.hash_blob(source.read(path)) != before.get(path)
    }


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
    if paths is not None and len(paths) <= _FEW:
        touched = histories.touches(repository, tip, sorted(paths))
    else:
        touched = program.touches(repository, tip, identifiers.ROOT)
    for touch in touched:  # the oldest last
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
