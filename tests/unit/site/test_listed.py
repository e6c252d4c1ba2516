"""The list of a site's files: what is looked up and changed in its text is what a dictionary would say."""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from gitchange.site import urls
from gitchange.site.listed import Basis, Listed, text_of
from gitchange.site.output import Output

BASIS = Basis("ab12", "cd34", 17)
PARTS = st.text("abz0-._~%\n\xe4 /", min_size=1, max_size=6)
NAMES = st.lists(PARTS, min_size=1, max_size=3).map("/".join)
LISTS = st.dictionaries(NAMES, st.sampled_from(("", "1f", "2e", "3d")), max_size=12)


@given(LISTS, NAMES)
def test_every_line_is_found(files: dict[str, str], other: str) -> None:
    """Names with spaces, line ends and percent signs too; what is not there is not found."""
    listed = Listed(text_of(BASIS, files))
    assert listed.basis == BASIS
    assert listed.told() == files
    assert {name: listed.inputs(name) for name in files} == files
    assert listed.inputs(other) == files.get(other)
    assert listed.opaque == {name for name, inputs in files.items() if not inputs}


@given(LISTS, st.dictionaries(NAMES, st.sampled_from((None, "", "9c")), max_size=6))
def test_a_changed_list_is_the_one_that_is_written_anew(
    files: dict[str, str], changes: dict[str, str | None]
) -> None:
    """Lines come, go and differ in their places: to the byte what all of it would give."""
    after = {**files, **changes}
    anew = text_of(BASIS, {name: inputs for name, inputs in after.items() if inputs is not None})
    assert Listed(text_of(Basis("0", "0", 0), files)).changed(BASIS, changes) == anew


@given(LISTS, PARTS)
def test_folders_are_those_of_the_names(files: dict[str, str], folder: str) -> None:
    """All of them, with theirs; and the files of one."""
    files = {name: said for name, said in files.items() if not name.startswith("/") and "//" not in name}
    listed = Listed(text_of(BASIS, files))
    parents = {name.rpartition("/")[0] for name in files}
    for parent in [*parents]:
        parents |= {"/".join(parent.split("/")[:depth]) for depth in range(1, parent.count("/") + 1)}
    large = {name for name in parents if name.startswith("no such folder")}
    assert listed.folders("no such folder") == parents - large - {""}
    found = sorted((n for n in files if n.startswith(f"{folder}/")), key=str.encode)
    assert sorted(listed.beginning(f"{folder}/")) == sorted(found)


def test_what_is_no_list_has_nothing() -> None:
    """Half of one, one of another version, something else: everything is made anew then."""
    for text in (b"", b"\xff\xfe", b"1f a.html\n", b"a b c\n- x\n", b"frame content -1\n"):
        assert Listed(text).basis is None
        assert Listed(text).told() == {}
    assert Listed(b"frame content 1\nnothing-to-see\n").inputs("nothing-to-see") is None


def site(folder: Path) -> Output:
    """A small site that was written."""
    output = Output(folder)
    output.put("index.html", b"home")
    output.put("changes/one.html", b"one", "1f")
    output.put("changes/two.html", b"two", "2e")
    output.put("data/rows/a.js", b"a", "3d")
    output.finish(BASIS)
    return output


def test_a_site_goes_on_from_its_list(tmp_path: Path) -> None:
    """What is named is written, what is dropped goes, what always has to be named goes without it; the rest stays."""
    site(tmp_path)
    output = Output(tmp_path)
    assert output.basis == BASIS
    assert output.go_on()
    assert output.inputs_of("changes/two.html") == "2e"
    assert output.has("changes/two.html", "2e")
    assert not output.has("changes/two.html", "ff")
    output.put("changes/three.html", b"three", "4c")
    output.drop("changes/one.html")
    output.finish(Basis("ab12", "ef", 18))
    assert (output.written, output.removed) == (2, 2)
    files = sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file())
    assert files == ["changes/three.html", "changes/two.html", "data/rows/a.js", urls.PAGES]
    told = Listed((tmp_path / urls.PAGES).read_bytes())
    assert told.told() == {"changes/three.html": "4c", "changes/two.html": "2e", "data/rows/a.js": "3d"}


def test_a_folder_that_somebody_touched_is_looked_through(tmp_path: Path) -> None:
    """Files that come or go change the folder that has them, and it is newer than the list then."""
    for number, change in enumerate(
        (
            lambda root: (root / "changes" / "stray.html").write_text("stray"),
            lambda root: (root / "changes" / "one.html").unlink(),
            lambda root: (root / "stray.html").write_text("stray"),
            lambda root: (root / "index.html").unlink(),
            lambda root: (root / "data" / "rows" / "a.js").unlink(),
            lambda root: (root / "data").rename(root / "date"),
        )
    ):
        root = tmp_path / str(number)
        site(root)
        listed = root / urls.PAGES
        # As if the site had been written a second ago: file systems have no finer clock than some milliseconds.
        for path in (listed, *(p for p in root.rglob("*") if p.is_dir())):
            os.utime(path, ns=(0, path.stat().st_mtime_ns - 10**9))
        assert Output(root).go_on()
        change(root)
        assert not Output(root).go_on()


def test_rebuild_reports_are_nobodys_business(tmp_path: Path) -> None:
    """They lie in the site's folder, and belong to no build."""
    site(tmp_path)
    for name in urls.RUNS:
        (tmp_path / name).write_text("as it went")
    output = Output(tmp_path)
    assert output.go_on()
    output.put("index.html", b"home")
    output.finish(BASIS)
    assert output.written == output.removed == 0
    assert all((tmp_path / name).is_file() for name in urls.RUNS)
