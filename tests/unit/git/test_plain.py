"""What is read without libgit2 is what libgit2 reads: the same answers, the same errors, whatever is in there."""

from __future__ import annotations

import gc
import hashlib
import os
import subprocess
import zlib
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pygit2.enums import FileMode

from gitchange.errors import GitchangeError
from gitchange.git import repository as module
from gitchange.git.repository import Repository
from tests.company import git
from tests.processes import children
from tests.unit.git.conftest import commit

ABSENT = "1" * 40


def is_plain(repository: Repository) -> bool:
    """Whether libgit2 reads nothing of it so far."""
    return repository._access.plain is not None


def answers(folder: Path, *oids: str, by_libgit2: bool) -> list[object]:
    """Everything that can be asked of these objects; each question to a repository newly opened."""
    questions: list[Callable[[Repository, str], object]] = [
        Repository.has,
        Repository.has_commit,
        Repository.has_blob,
        Repository.has_tree,
        Repository.commit,
        Repository.outline,
        Repository.blob,
        Repository.tree_of,
        Repository.entries,
        lambda r, oid: list(r.first_parents(oid)),
        lambda r, oid: [r.entry(oid, path) for path in ("a", "b/c", "d", "a/b", ".git")],
        lambda r, oid: r.child(oid, "b/c"),
    ]
    found: list[object] = []
    for oid in oids:
        for question in questions:
            opened = Repository.open(folder)
            if by_libgit2:
                opened.expect_much()
            found.append((_said(lambda q=question, o=opened, i=oid: q(o, i)), opened.missing))  # type: ignore[misc]
    return found


def _said(question: Callable[[], object]) -> object:
    try:
        return question()
    except GitchangeError as error:
        return type(error), error.message, error.hint


def same(folder: Path, *oids: str) -> None:
    """Both say the same."""
    assert answers(folder, *oids, by_libgit2=False) == answers(folder, *oids, by_libgit2=True)


def put(folder: Path, kind: str, raw: bytes) -> str:
    """Keep any bytes as an object."""
    whole = b"%b %d\0" % (kind.encode(), len(raw)) + raw
    oid = hashlib.sha1(whole, usedforsecurity=False).hexdigest()
    place = folder / ".git" / "objects" / oid[:2] / oid[2:]
    place.parent.mkdir(exist_ok=True)
    if not place.exists():
        place.write_bytes(zlib.compress(whole))
    return oid


@pytest.fixture
def filled(folder: Path) -> Path:
    """Two commits."""
    commit(folder, "one", a="1\n", b__c="2\n")
    commit(folder, "two\n\nMore.", a="2\n", d="x\n")
    return folder


def all_objects(folder: Path) -> list[str]:
    """Every object of a repository."""
    return git(folder, "cat-file", "--batch-all-objects", "--batch-check=%(objectname)").split()


def test_little_takes_no_libgit2(filled: Path) -> None:
    """Refs, settings, commits, folders and files are read plainly, and a missing object is known as such."""
    repository = Repository.open(filled)
    tip = repository.ref("HEAD")
    assert tip is not None
    assert repository.head_ref() == "refs/heads/main"
    assert repository.commit(tip).message == "two\n\nMore.\n"
    assert repository.entry(repository.tree_of(tip), "b/c") == repository.child(
        repository.tree_of(tip), "b/c"
    )
    parent = list(repository.first_parents(tip))[1]
    assert list(repository.ancestors(tip, (parent,))) == [tip]
    assert repository.is_ancestor(parent, tip)
    assert not repository.is_ancestor(tip, parent)
    assert not repository.has(ABSENT)
    assert repository.remotes() == []
    assert repository.config("user.name") == "Ada"
    assert not repository.is_shallow
    assert repository.work_dir == filled
    assert is_plain(repository)
    repository.write_blob(b"x")
    assert not is_plain(repository)


def test_much_is_for_libgit2(folder: Path) -> None:
    """After some hundred objects it takes over, and the answers go on."""
    for number in range(500):
        put(folder, "blob", b"%d" % number)
    repository = Repository.open(folder)
    for oid in all_objects(folder):
        assert repository.hash_blob(repository.blob(oid)) == oid
    assert not is_plain(repository)


@pytest.mark.parametrize("packed", [False, True])
def test_usual_objects(filled: Path, *, packed: bool) -> None:
    """Loose or packed, with an annotated tag; and one that is not here."""
    git(filled, "tag", "-a", "-m", "t", "v1")
    if packed:
        git(filled, "gc", "--quiet")
    same(
        filled, *all_objects(filled), ABSENT, "", "HEAD", "1" * 64, ABSENT[:7], f"{ABSENT[:38]}\n1", "g" * 40
    )


@pytest.mark.parametrize("how", ["flipped", "empty", "another", "rubbish"])
@pytest.mark.parametrize("kind", ["blob", "tree", "commit"])
def test_damaged_objects(filled: Path, how: str, kind: str) -> None:
    """A loose object that is damaged in some way is damaged to both."""
    revision = {"blob": "HEAD:a", "tree": "HEAD^{tree}", "commit": "HEAD"}[kind]
    oid = git(filled, "rev-parse", revision)
    file = filled / ".git" / "objects" / oid[:2] / oid[2:]
    raw = file.read_bytes()
    whole = zlib.decompress(raw)
    file.chmod(0o644)
    file.write_bytes(
        {
            "flipped": raw[:-3] + bytes([raw[-3] ^ 1]) + raw[-2:],
            "empty": b"",
            "another": zlib.compress(whole[:-1] + bytes([whole[-1] ^ 1])),
            "rubbish": b"rubbish",
        }[how]
    )
    same(filled, oid)


def test_damaged_pack(filled: Path) -> None:
    """A flipped bit anywhere in a pack."""
    git(filled, "gc", "--quiet")
    (pack,) = (filled / ".git" / "objects" / "pack").glob("*.pack")
    raw, oids = pack.read_bytes(), all_objects(filled)
    pack.chmod(0o644)
    for at in range(12, len(raw) - 20, 23):
        pack.write_bytes(raw[:at] + bytes([raw[at] ^ 4]) + raw[at + 1 :])
        same(filled, *oids[:3])


def test_replaced_objects(filled: Path) -> None:
    """What somebody put in the place of an object is not read: the object itself is."""
    tip = git(filled, "rev-parse", "HEAD")
    git(filled, "replace", tip, git(filled, "rev-parse", "HEAD~"))
    repository = Repository.open(filled)
    assert repository.commit(tip).message.startswith("two")
    assert is_plain(repository)
    same(filled, tip)


def test_borrowed_objects(filled: Path, tmp_path: Path) -> None:
    """A clone with alternates has what it borrows."""
    git(tmp_path, "clone", "--quiet", "--shared", str(filled), "borrower")
    tip = git(filled, "rev-parse", "HEAD")
    assert is_plain(Repository.open(tmp_path / "borrower"))
    same(tmp_path / "borrower", tip)


def test_large_file(folder: Path) -> None:
    """A file that is larger than what is read plainly."""
    oid = put(folder, "blob", bytes(range(256)) * 8192)
    same(folder, oid)


@pytest.mark.parametrize(
    "options",
    [["--depth=1"], ["--filter=blob:none"], ["--filter=tree:0"]],
    ids=["shallow", "blobless", "treeless"],
)
def test_clones_with_less(filled: Path, tmp_path: Path, options: list[str]) -> None:
    """What a shallow or partial clone lacks is lacking; nothing is fetched for it."""
    git(filled, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "--quiet", "--no-checkout", *options, f"file://{filled}", "less")
    oids = all_objects(filled)
    before = all_objects(tmp_path / "less")
    assert not is_plain(Repository.open(tmp_path / "less"))
    same(tmp_path / "less", *oids)
    assert all_objects(tmp_path / "less") == before


def test_another_hash(tmp_path: Path) -> None:
    """A repository of SHA-256 is refused, as libgit2 refuses it."""
    git(tmp_path, "init", "--quiet", "--object-format=sha256", "other")
    with pytest.raises(GitchangeError, match="not in a Git repository"):
        Repository.open(tmp_path / "other")


WHO = st.tuples(
    st.sampled_from(
        [b"Ada", b"Ada L.", b" Ada", b"", b"A <b> c", "Bö".encode(), b"B\xf6", b"A\tB", b"'x'", b"A\0B"]
    ),
    st.sampled_from([b"ada@example.org", b"", b"a b", b"<a>", b"a,", b"\xff", b"a@b\0"]),
    st.sampled_from(
        [
            b"0",
            b"1767225600",
            b"99999999999",
            b"999999999999999999999",
            b"-5",
            b"",
            b"1e3",
            b"017",
            b"1767225600.5",
        ]
    ),
    st.sampled_from(
        [
            b"+0000",
            b"-0000",
            b"+0530",
            b"-1200",
            b"+1400",
            b"+1459",
            b"+1500",
            b"+9999",
            b"+0060",
            b"",
            b"Z",
            b"+100",
        ]
    ),
)
USUAL = (b"Ada", b"ada@example.org", b"1767225600", b"+0100")
EXTRA = st.sampled_from(
    [
        b"",
        b"encoding ISO-8859-1\n",
        b"encoding nonsense\n",
        b"gpgsig -----BEGIN\n \n x\n -----END\n",
        b"mergetag object 1\n type commit\n \n text\n",
        b"author B <b@x> 1 +0000\n",
        b"parent " + b"2" * 40 + b"\n",
        b"strange header\n",
        b" continued\n",
        b"HG:extra x\n",
    ]
)


@given(
    tree=st.sampled_from([b"4" * 40, b"4" * 39, b"A" * 40, b"x"]),
    parents=st.lists(st.sampled_from([b"1" * 40, b"2" * 40, b"3" * 39]), max_size=2),
    author=st.one_of(st.just(USUAL), WHO),
    committer=st.one_of(st.just(USUAL), WHO),
    extra=EXTRA,
    message=st.sampled_from(
        [
            b"\nwords\n",
            b"\n",
            b"",
            b"\n\n\nwords",
            b"words",
            b"\nno end",
            b"\na\0b",
            b"\nB\xf6\n",
            b"\na\r\nb\n",
        ]
    ),
)
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_odd_commits(
    folder: Path,
    tree: bytes,
    parents: list[bytes],
    author: tuple[bytes, bytes, bytes, bytes],
    committer: tuple[bytes, bytes, bytes, bytes],
    extra: bytes,
    message: bytes,
) -> None:
    """Names, moments, encodings, signatures and other headers, usual or not."""
    raw = b"tree %b\n" % tree + b"".join(b"parent %b\n" % parent for parent in parents)
    raw += b"author %b <%b> %b %b\n" % author + b"committer %b <%b> %b %b\n" % committer + extra + message
    oid = put(folder, "commit", raw)
    read = []
    for by_libgit2 in (False, True):
        repository = Repository.open(folder)
        if by_libgit2:
            repository.expect_much()
        questions = (Repository.commit, Repository.outline, Repository.tree_of, Repository.has_commit)
        read.append([_said(lambda q=q, r=repository: q(r, oid)) for q in questions])  # type: ignore[misc]
    assert read[0] == read[1]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"100644 a\0" + b"1" * 20,
        b"40000 a\0" + b"1" * 20 + b"100644 b\0" + b"2" * 20,
        b"100644 b\0" + b"1" * 20 + b"100644 a\0" + b"2" * 20,  # not in order
        b"100644 a\0" + b"1" * 20 + b"100644 a\0" + b"2" * 20,
        b"100644 a\0" + b"1" * 20 + b"100644 a.b\0" + b"2" * 20 + b"40000 a\0" + b"3" * 20,
        b"100644 \xff\xfe\0" + b"1" * 20,
        b"100664 a\0" + b"1" * 20,
        b"160000 a\0" + b"1" * 20,
        b"40000 .git\0" + b"1" * 20,
        b"40000 b\0" + b"1" * 20,
        b"100644 a\0short",
        b"x",
    ],
)
def test_odd_folders(folder: Path, raw: bytes) -> None:
    """Folders as git writes them and as it does not."""
    same(folder, put(folder, "tree", raw))


REFS = {
    "HEAD": None,
    "refs/heads/main": None,
    "refs/heads/none": None,
    "refs/heads": None,
    "refs/heads/main/below": None,
    "refs/heads/other": "ref: refs/heads/main\n",
    "refs/heads/dangling": "ref: refs/heads/none\n",
    "refs/heads/circle": "ref: refs/heads/circle\n",
    "refs/heads/deep": "ref: refs/heads/other\n",
    "refs/heads/outside": "ref: ../../etc/passwd\n",
    "refs/heads/empty": "",
    "refs/heads/words": "words\n",
    "refs/heads/short": "1" * 39,
    "refs/heads/absent": "1" * 40,
    "refs/heads/upper": "A" * 40,
    "refs/heads/blank": "1" * 40 + " \n",
    "refs/heads/odd name": "1" * 40,
    "refs/heads/a..b": "1" * 40,
    "refs/heads/x.lock": "1" * 40,
    "refs/heads/bö": "1" * 40,
    "refs/heads/c++/#1": "1" * 40,
    "refs/strange/x": "1" * 40,
    "refs/gitchange/x": "1" * 40,
    "refs/remotes/origin/HEAD": "ref: refs/remotes/origin/main\n",
    "../config": None,
    "config": None,
    "": None,
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("detached", [False, True])
@pytest.mark.parametrize("name", REFS)
def test_refs(filled: Path, name: str, *, packed: bool, detached: bool) -> None:
    """A ref says the same to both, whatever its file holds, and how it is kept."""
    git(filled, "branch", "more/below")
    if detached:
        git(filled, "checkout", "--quiet", "--detach")
    if packed:
        git(filled, "pack-refs", "--all")
    if (said := REFS[name]) is not None:
        file = filled / ".git" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(said)
    found = []
    for by_libgit2 in (False, True):
        read: list[object] = []
        for ask in (Repository.ref, Repository.alias, lambda r, _: r.head_ref()):
            repository = Repository.open(filled)
            if by_libgit2:
                repository.expect_much()
            try:
                read.append((ask(repository, name), repository.asked))
            except Exception as error:
                read.append((type(error), str(error)))
        found.append(read)
    assert found[0] == found[1]


def test_histories(folder: Path) -> None:
    """What can be reached from what: the same, along a line, past merges and between histories that never met."""
    tips = {"root": commit(folder, "root", a="1")}
    git(folder, "checkout", "--quiet", "-b", "side")
    tips["side"] = commit(folder, "side", b="1")
    git(folder, "checkout", "--quiet", "main")
    tips["main"] = commit(folder, "main", a="2")
    git(folder, "merge", "--quiet", "--no-ff", "-m", "merged", "side")
    tips["merge"] = git(folder, "rev-parse", "HEAD")
    git(folder, "checkout", "--quiet", "--orphan", "alone")
    tips["alone"] = commit(folder, "alone", c="1")
    git(folder, "checkout", "--quiet", "main")
    for number in range(60):
        git(folder, "commit", "--quiet", "--allow-empty", "-m", str(number))
    tips["far"] = git(folder, "rev-parse", "HEAD")
    tips |= {"tree": git(folder, "rev-parse", "HEAD^{tree}"), "absent": ABSENT}
    by_libgit2 = Repository.open(folder)
    by_libgit2.expect_much()
    for one, other in product(tips.values(), repeat=2):
        _same_relation(folder, by_libgit2, one, other)


def _same_relation(folder: Path, by_libgit2: Repository, one: str, other: str) -> None:
    """Both say the same of two commits."""
    reached: list[object] = []
    for reader in (Repository.open(folder), by_libgit2):
        reached.append(_said(lambda r=reader: r.is_ancestor(one, other)))  # type: ignore[misc]
    assert reached[0] == reached[1]
    plainly = _said(lambda: list(Repository.open(folder).ancestors(one, (other,))))
    expected = _said(lambda: list(by_libgit2.ancestors(one, (other,))))
    if not isinstance(plainly, list) or not isinstance(expected, list):
        assert plainly == expected
        return
    assert set(plainly) == set(expected)
    for place, oid in enumerate(plainly):
        assert not set(by_libgit2.commit(oid).parents) & set(plainly[:place])


def _same_place(folder: Path) -> bool:
    """Both find the same repository, or none; whether it was found plainly."""
    found = []
    for by_libgit2 in (False, True):
        try:
            opened = Repository.open(folder)
        except GitchangeError as error:
            found.append((type(error), error.message, error.hint))
            plainly = False
            continue
        if by_libgit2:
            opened.expect_much()
        else:
            plainly = is_plain(opened)
        found.append(
            (opened.git_dir, opened.common_dir, opened.work_dir, opened.is_shallow, opened.remotes())  # type: ignore[arg-type]
        )
    assert found[0] == found[1]
    return plainly


def test_places(filled: Path, tmp_path: Path) -> None:
    """Work trees, linked ones, bare repositories, folders below and in them, and what is none."""
    (filled / "x" / "y").mkdir(parents=True)
    (tmp_path / "link").symlink_to(filled)
    git(filled, "worktree", "add", "--quiet", str(tmp_path / "linked"), "-b", "linked")
    git(tmp_path, "clone", "--quiet", "--bare", str(filled), "bare.git")
    git(tmp_path, "clone", "--quiet", "--mirror", str(filled), "mirror.git")
    git(tmp_path, "clone", "--quiet", "--separate-git-dir", "elsewhere.git", str(filled), "separate")
    git(filled, "remote", "add", "zeta", "https://example.org/z")
    git(filled, "remote", "add", "alpha.beta", "https://example.org/a")
    git(filled, "config", "remote.pushed.pushurl", "https://example.org/p")
    git(filled, "config", "remote.nothing.fetch", "+refs/heads/*:refs/x/*")
    for place in (filled, filled / "x" / "y", tmp_path / "link", tmp_path / "linked", tmp_path / "bare.git"):
        assert _same_place(place), place
    assert _same_place(tmp_path / "mirror.git")
    (tmp_path / "empty" / ".git").mkdir(parents=True)
    (tmp_path / "nowhere").mkdir()
    (tmp_path / "moved").mkdir()
    (tmp_path / "moved" / ".git").write_text((tmp_path / "linked" / ".git").read_text())
    (tmp_path / "beyond").mkdir()
    (tmp_path / "beyond" / ".git").symlink_to(filled / ".git")
    for place in (
        "separate",
        "elsewhere.git",
        "empty",
        "nowhere",
        "not-there",
        "repo/.git",
        "repo/.git/refs",
    ):
        _same_place(tmp_path / place)
    _same_place(tmp_path / "moved")
    _same_place(tmp_path / "beyond")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("core.bare", "true"),
        ("core.bare", "yes"),
        ("core.worktree", "/tmp"),  # noqa: S108 - only named
        ("core.repositoryformatversion", "1"),
        ("core.repositoryformatversion", "7"),
        ("extensions.worktreeConfig", "true"),
        ("extensions.nonsense", "true"),
        ("extensions.preciousObjects", "true"),
    ],
)
def test_settings_of_a_repository(filled: Path, key: str, value: str) -> None:
    """What a repository's own configuration says of where its parts are, or how it is to be read."""
    with (filled / ".git" / "config").open("a") as file:
        section, _, name = key.partition(".")
        file.write(f"[{section}]\n\t{name} = {value}\n")
    _same_place(filled)


def test_another_owner(filled: Path) -> None:
    """Another's repository is not trusted before the user says so."""
    if os.geteuid() != 0:
        pytest.skip("takes root to give a folder away")
    os.chown(filled / ".git", 12345, 12345)
    assert not _same_place(filled)
    os.chown(filled, 12345, 12345)
    with pytest.raises(GitchangeError, match="does not trust"):
        Repository.open(filled)


@pytest.mark.parametrize("name", ["GIT_DIR", "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE"])
def test_environment(filled: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Where git's environment moves something, libgit2 opens what the folder holds, as ever."""
    monkeypatch.setenv(name, str(filled / "elsewhere"))
    assert not _same_place(filled)


def test_forks_begin_their_own_git(filled: Path) -> None:
    """A forked process reads by itself, and leaves the one that forked it to go on."""
    repository = Repository.open(filled)
    oids = all_objects(filled)
    repository.has(oids[0])
    child = os.fork()
    if not child:
        told = all(repository.has(oid) for oid in oids) and is_plain(repository)
        os._exit(0 if told else 1)
    assert all(repository.has(oid) for oid in oids)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert is_plain(repository)


def test_git_ends_with_the_repository(filled: Path) -> None:
    """No process of git and no open file is left behind."""
    # A repository of an earlier test may live on, in the traceback of what was expected to be raised.
    gc.collect()
    earlier, before = children("git"), len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        repository = Repository.open(filled)
        assert repository.has(git(filled, "rev-parse", "HEAD"))
        assert len(children("git")) > len(earlier)
        del repository
    assert len(os.listdir("/proc/self/fd")) == before
    assert children("git") == earlier


def test_a_killed_git_is_no_end(filled: Path) -> None:
    """Ctrl-C reaches git as well: libgit2 goes on."""
    repository = Repository.open(filled)
    oids = all_objects(filled)
    assert repository.has(oids[0])
    assert repository._access.plain is not None
    assert repository._access.plain._git is not None
    subprocess.run(["kill", "-INT", str(repository._access.plain._git.process)], check=True)
    assert all(repository.has(oid) for oid in oids)


def test_modes_are_libgit2s() -> None:
    """The numbers of a tree's entries."""
    assert {*module._MODES.values()} == {
        int(mode)
        for mode in (FileMode.BLOB, FileMode.BLOB_EXECUTABLE, FileMode.LINK, FileMode.COMMIT, FileMode.TREE)
    }
