"""Notes: every line is kept, wherever it stands, and both git and we read what the other writes."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitchange.git.repository import FILE, TREE, Repository
from gitchange.ledger import notes
from gitchange.ledger.notes import REF, Notes
from tests.company import git

from .conftest import WHO

BOTH = (WHO, WHO)
LINK = 0o120000
SUBMODULE = 0o160000


def oid(number: int) -> str:
    return hashlib.sha1(str(number).encode(), usedforsecurity=False).hexdigest()


def appended(repository: Repository, tip: str | None, lines: Mapping[str, Iterable[bytes]]) -> str | None:
    for name, some in lines.items():
        tip = notes.append(repository, tip, name, some, BOTH, "sign\n")
    return tip


def gathered(repository: Repository, tip: str | None) -> dict[str, frozenset[bytes]]:
    return {name: frozenset(lines) for name, lines in Notes(repository, tip).all()}


def git_adds(repository: Repository, names: Iterable[str], line: bytes, ref: str) -> None:
    """Stock git annotates all of these objects with one line."""
    source = oid(-1)
    git(repository.git_dir, "hash-object", "-w", "--stdin", data=b"source")
    blob = git(repository.git_dir, "hash-object", "-w", "--stdin", data=line + b"\n")
    git(repository.git_dir, "notes", f"--ref={ref}", "add", "-f", "-C", blob, _a_blob(repository))
    pairs = "".join(f"{_a_blob(repository)} {name}\n" for name in names)
    git(repository.git_dir, "notes", f"--ref={ref}", "copy", "-f", "--stdin", data=pairs.encode())
    git(repository.git_dir, "notes", f"--ref={ref}", "remove", _a_blob(repository))
    assert source not in names


def _a_blob(repository: Repository) -> str:
    return repository.write_blob(b"source")


@pytest.mark.parametrize("count", [1, 16, 50, 300])
def test_fan_out_is_that_of_stock_git(repository: Repository, count: int) -> None:
    """The notes tree is the very tree that stock git writes for the same notes."""
    names = [oid(n) for n in range(count)]
    git_adds(repository, names, b"line", "refs/notes/theirs")
    ours = appended(repository, None, dict.fromkeys(names, (b"line",)))
    assert ours is not None
    assert repository.tree_of(ours) == git(repository.git_dir, "rev-parse", "refs/notes/theirs^{tree}")


def test_five_thousand_notes_stay_at_gits_fan_out(repository: Repository) -> None:
    """On top of thousands of notes that stock git wrote, a sign-off goes where stock git would put it."""
    names = [oid(n) for n in range(5000)]
    git_adds(repository, names, b"line", "refs/notes/theirs")
    ours = git(repository.git_dir, "rev-parse", "refs/notes/theirs")
    more = [oid(n) for n in range(5000, 5040)]
    tip = appended(repository, ours, dict.fromkeys(more, (b"line",)))
    git_adds(repository, more, b"line", "refs/notes/theirs")
    assert tip is not None
    assert repository.tree_of(tip) == git(repository.git_dir, "rev-parse", "refs/notes/theirs^{tree}")
    assert set(gathered(repository, tip)) == {*names, *more}


def test_uneven_names_fan_out_as_stock_git(repository: Repository) -> None:
    """A folder that is crowded from its first moment is fanned out further at once, as by stock git."""
    crowded = [
        f"ab{digit}{second}{oid(n)[4:]}" for n, digit in enumerate("0123456789abcdef") for second in "07"
    ]
    rest = [f"{digit}{second}{oid(n)[2:]}" for n, digit in enumerate("0123456789abcdef") for second in "18"]
    names = [*crowded, *rest]
    git_adds(repository, names, b"line", "refs/notes/theirs")
    ours = appended(repository, None, dict.fromkeys(names, (b"line",)))
    assert ours is not None
    assert repository.tree_of(ours) == git(repository.git_dir, "rev-parse", "refs/notes/theirs^{tree}")


@pytest.mark.parametrize("count", [1, 50, 300])
def test_stock_git_and_we_read_each_other(repository: Repository, count: int) -> None:
    """Stock git appends to our notes, we append to stock git's, and both read all of it."""
    names = [_blob(repository, n) for n in range(count)]
    tip = appended(repository, None, dict.fromkeys(names, (b"ours",)))
    assert tip is not None
    repository.set_ref(REF, tip, None, "test")
    git(repository.git_dir, "notes", f"--ref={REF}", "append", "-m", "theirs", names[0])
    read = Notes(repository, repository.ref(REF)).lines(names[0])
    assert [line for line in read if line] == [b"ours", b"theirs"]
    tip = notes.append(repository, repository.ref(REF), names[0], [b"again"], BOTH, "sign\n")
    repository.set_ref(REF, tip, repository.ref(REF), "test")
    shown = git(repository.git_dir, "notes", "--ref=gitchange/approvals", "show", names[0])
    assert {line for line in shown.splitlines() if line} == {"ours", "theirs", "again"}
    listed = git(repository.git_dir, "notes", "--ref=gitchange/approvals", "list").splitlines()
    assert sorted(line.split()[1] for line in listed) == sorted(names)


def _blob(repository: Repository, number: int) -> str:
    return repository.write_blob(f"text {number}\n".encode())


def test_append_keeps_every_line(repository: Repository) -> None:
    """A line that stands on a text stays there, whoever appends what, and each stands there once."""
    name = oid(1)
    tip: str | None = None
    for line in (b"c", b"a", b"b", b"a"):
        tip = notes.append(repository, tip, name, [line], BOTH, "sign\n")
    assert Notes(repository, tip).lines(name) == (b"a", b"b", b"c")


def _put(repository: Repository, places: Mapping[str, bytes], mode: int = FILE) -> str:
    tree = repository.edit_tree(
        None, {path: (repository.write_blob(content), mode) for path, content in places.items()}
    )
    return repository.write_commit(tree, (), "notes\n", *BOTH)


NAME = oid(7)
LAYOUTS = {
    "flat": (NAME,),
    "2/38": (f"{NAME[:2]}/{NAME[2:]}",),
    "2/2/36": (f"{NAME[:2]}/{NAME[2:4]}/{NAME[4:]}",),
    "flat and 2/38": (NAME, f"{NAME[:2]}/{NAME[2:]}"),
    "all three": (NAME, f"{NAME[:2]}/{NAME[2:]}", f"{NAME[:2]}/{NAME[2:4]}/{NAME[4:]}"),
}


@pytest.mark.parametrize("places", LAYOUTS.values(), ids=LAYOUTS)
def test_every_fan_out_is_read(repository: Repository, places: tuple[str, ...]) -> None:
    """Lines are found at every depth of fan-out, also when one text has notes at several."""
    tip = _put(repository, {path: b"line %d\n" % n for n, path in enumerate(places)})
    expected = {b"line %d" % n for n in range(len(places))}
    assert set(Notes(repository, tip).lines(NAME)) == expected
    assert gathered(repository, tip) == {NAME: expected}
    assert Notes(repository, tip).lines(oid(8)) == ()


@pytest.mark.parametrize("places", LAYOUTS.values(), ids=LAYOUTS)
def test_append_to_every_fan_out_keeps_all_lines(repository: Repository, places: tuple[str, ...]) -> None:
    """Appending where a text has notes at several depths loses none of their lines."""
    tip = _put(repository, {path: b"line %d\n" % n for n, path in enumerate(places)})
    after = notes.append(repository, tip, NAME, [b"new"], BOTH, "sign\n")
    expected = {b"new", *(b"line %d" % n for n in range(len(places)))}
    assert set(Notes(repository, after).lines(NAME)) == expected
    repository.set_ref(REF, after, None, "test")
    assert len(git(repository.git_dir, "notes", f"--ref={REF}", "list").splitlines()) == 1


def test_blank_lines_are_lines() -> None:
    """A blank line in a note is handed out as a line, so that it becomes a finding."""
    assert notes.split(b"a\n\nb\n") == (b"a", b"", b"b")
    assert notes.split(b"a") == (b"a",)
    assert notes.split(b"\n") == (b"",)
    assert notes.split(b"") == ()


# -- unite ----------------------------------------------------------------------------------------

POOL = [f"{first}{second}{oid(n)[2:]}" for n, first in enumerate("0123456789abcdef") for second in "04"]
LINES = [b"one", b"two", b"three", b"four \xff\x01", b"{}"]  # no NUL: stock git ends a line there
sides = st.dictionaries(
    st.sampled_from(POOL), st.frozensets(st.sampled_from(LINES), min_size=1), max_size=len(POOL)
)
CROWD = {name: frozenset({b"one"}) for name in POOL}


@pytest.fixture(scope="module")
def shared() -> Iterable[Repository]:
    """One repository for all examples of the properties: objects only, no refs."""
    with tempfile.TemporaryDirectory() as folder:
        git(Path(folder), "init", "--quiet", "--bare")
        yield Repository.open(Path(folder))


def tree(repository: Repository, tip: str | None) -> str | None:
    return repository.tree_of(tip) if tip else None


properties = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@properties
@given(one=sides, other=sides, crowded=st.booleans())
def test_unite_is_commutative_and_loses_nothing(
    shared: Repository, one: dict[str, frozenset[bytes]], other: dict[str, frozenset[bytes]], crowded: bool
) -> None:
    """Two clones that unite each other's notes hold the same bytes, and every line of both sides."""
    base = appended(shared, None, CROWD) if crowded else None
    ours, theirs = appended(shared, base, one), appended(shared, base, other)
    united = notes.unite(shared, ours, theirs, lambda: BOTH)
    assert tree(shared, united) == tree(shared, notes.unite(shared, theirs, ours, lambda: BOTH))
    expected = {
        name: one.get(name, frozenset())
        | other.get(name, frozenset())
        | (CROWD[name] if crowded else frozenset())
        for name in {*one, *other, *(CROWD if crowded else ())}
    }
    assert gathered(shared, united) == expected


@properties
@given(one=sides, other=sides, third=sides)
def test_unite_is_associative(
    shared: Repository,
    one: dict[str, frozenset[bytes]],
    other: dict[str, frozenset[bytes]],
    third: dict[str, frozenset[bytes]],
) -> None:
    """In whatever order three clones meet, the notes come out byte for byte the same."""
    a, b, c = (appended(shared, None, side) for side in (one, other, third))
    left = notes.unite(shared, notes.unite(shared, a, b, lambda: BOTH), c, lambda: BOTH)
    right = notes.unite(shared, a, notes.unite(shared, b, c, lambda: BOTH), lambda: BOTH)
    assert tree(shared, left) == tree(shared, right)


@properties
@given(one=sides, other=sides)
def test_unite_is_idempotent(
    shared: Repository, one: dict[str, frozenset[bytes]], other: dict[str, frozenset[bytes]]
) -> None:
    """Uniting with what is already contained changes nothing and makes no commit."""
    a, b = appended(shared, None, one), appended(shared, None, other)
    assert notes.unite(shared, a, a, lambda: BOTH) == a
    united = notes.unite(shared, a, b, lambda: BOTH)
    assert notes.unite(shared, united, a, lambda: BOTH) == united
    assert notes.unite(shared, b, united, lambda: BOTH) == united


@properties
@given(base=sides, one=sides, other=sides)
def test_unite_is_gits_cat_sort_uniq(
    shared: Repository,
    base: dict[str, frozenset[bytes]],
    one: dict[str, frozenset[bytes]],
    other: dict[str, frozenset[bytes]],
) -> None:
    """`git notes merge -s cat_sort_uniq` of two clones' notes gives the same notes as uniting them."""
    start = appended(shared, None, {oid(0): [b"first"], **base})
    ours, theirs = appended(shared, start, one), appended(shared, start, other)
    assert ours is not None
    assert theirs is not None
    git(shared.git_dir, "update-ref", "refs/notes/ours", ours)
    git(shared.git_dir, "update-ref", "refs/notes/theirs", theirs)
    git(
        shared.git_dir,
        *("-c", "user.name=x", "-c", "user.email=x@y"),
        *("notes", "--ref=ours", "merge", "--quiet", "-s", "cat_sort_uniq", "refs/notes/theirs"),
    )
    united = notes.unite(shared, ours, theirs, lambda: BOTH)
    assert united is not None
    git(shared.git_dir, "update-ref", "refs/notes/united", united)
    merged = git(shared.git_dir, "notes", "--ref=ours", "list")
    assert merged == git(shared.git_dir, "notes", "--ref=united", "list")


@pytest.mark.parametrize("swapped", [False, True])
def test_descendant_that_lost_a_line_gets_it_back(repository: Repository, swapped: bool) -> None:
    """A notes commit that dropped a line of its own parent is no fast-forward: the line comes back."""
    ours = appended(repository, None, {oid(1): [b"approve", b"refuse"], oid(2): [b"x"]})
    assert ours is not None
    tree_of_less = _put(repository, {oid(1): b"approve\n"})
    theirs = repository.write_commit(repository.tree_of(tree_of_less), (ours,), "less\n", *BOTH)
    pair = (theirs, ours) if swapped else (ours, theirs)
    united = notes.unite(repository, *pair, lambda: BOTH)
    assert gathered(repository, united) == {oid(1): {b"approve", b"refuse"}, oid(2): {b"x"}}
    assert united is not None
    assert repository.is_ancestor(theirs, united)


def test_both_clones_make_one_commit(repository: Repository) -> None:
    """Both sides give the commit the same parents in the same order."""
    a, b = appended(repository, None, {oid(1): [b"a"]}), appended(repository, None, {oid(2): [b"b"]})
    assert notes.unite(repository, a, b, lambda: BOTH) == notes.unite(repository, b, a, lambda: BOTH)


@pytest.mark.parametrize("places", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("swapped", [False, True])
def test_unite_joins_different_fan_outs(
    repository: Repository, places: tuple[str, ...], swapped: bool
) -> None:
    """A side that another tool wrote at another fan-out loses no line when it is united."""
    foreign = _put(repository, {path: b"line %d\n" % n for n, path in enumerate(places)})
    ours = appended(repository, None, {NAME: [b"ours"], oid(8): [b"other"]})
    pair = (foreign, ours) if swapped else (ours, foreign)
    united = notes.unite(repository, *pair, lambda: BOTH)
    assert gathered(repository, united) == {
        NAME: frozenset({b"ours", *(b"line %d" % n for n in range(len(places)))}),
        oid(8): frozenset({b"other"}),
    }


STRANGE = {
    "a file that names no object": ("README", FILE),
    "a file in a folder that is no fan-out": ("docs/README", FILE),
    "a link that names no object": ("docs/link", LINK),
    "a submodule": (oid(9), SUBMODULE),
    "a submodule in a folder": (f"{oid(9)[:2]}/module", SUBMODULE),
}


@pytest.mark.parametrize(("path", "mode"), STRANGE.values(), ids=STRANGE)
@pytest.mark.parametrize("swapped", [False, True])
def test_strange_entries_stop_nobody(repository: Repository, path: str, mode: int, swapped: bool) -> None:
    """What is no note in the notes' tree neither stops the union nor takes a line with it."""
    ours = appended(repository, None, {oid(1): [b"ours"]})
    other = appended(repository, None, {oid(2): [b"theirs"]})
    assert other is not None
    entry = oid(5) if mode == SUBMODULE else repository.write_blob(b"strange\n")
    strange = repository.write_commit(
        repository.edit_tree(repository.tree_of(other), {path: (entry, mode)}), (other,), "strange\n", *BOTH
    )
    pair = (strange, ours) if swapped else (ours, strange)
    united = notes.unite(repository, *pair, lambda: BOTH)
    assert Notes(repository, united).lines(oid(1)) == (b"ours",)
    assert Notes(repository, united).lines(oid(2)) == (b"theirs",)
    assert united is not None
    kept = repository.entry(repository.tree_of(united), path)
    assert kept is not None
    assert (kept.id, kept.mode) == (entry, mode)
    assert {oid(1), oid(2)} <= {name for name, _ in Notes(repository, united).all()}


def test_note_of_another_mode_is_not_skipped(repository: Repository) -> None:
    """A note that was turned into a link still has its lines: a refusal cannot be hidden by a file mode."""
    tip = _put(repository, {NAME: b"refusal\n"}, LINK)
    assert Notes(repository, tip).lines(NAME) == (b"refusal",)


def test_folder_named_like_a_note_is_read_past(repository: Repository) -> None:
    """A folder where a note should be is no crash and hides no other note."""
    tip = _put(repository, {f"{NAME}/x": b"inner\n", oid(8): b"line\n"})
    assert Notes(repository, tip).lines(NAME) == ()
    assert Notes(repository, tip).lines(oid(8)) == (b"line",)
    assert repository.entry(repository.tree_of(tip), NAME) is not None
    assert TREE == 0o040000


def test_fanning_out_loses_no_line_of_another_text(repository: Repository) -> None:
    """When a level becomes crowded, a text that already has notes at two depths keeps the lines of both."""
    places = {NAME: b"flat\n", f"{NAME[:2]}/{NAME[2:]}": b"folded\n"}
    tip = appended(repository, _put(repository, places), CROWD)
    assert set(Notes(repository, tip).lines(NAME)) == {b"flat", b"folded"}


def test_file_where_a_folder_belongs_is_no_obstacle(repository: Repository) -> None:
    """A file that stands where the fan-out needs a folder stops no sign-off."""
    tip = _put(repository, {POOL[0][:2]: b"in the way\n"})
    assert gathered(repository, appended(repository, tip, CROWD)).items() >= CROWD.items()
