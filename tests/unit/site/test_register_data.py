"""The data of the register and of the search: what stands in the files, and which are written."""

from __future__ import annotations

import json
import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitchange.site import register, search, urls
from gitchange.site.catalogue import Catalogue
from gitchange.site.listed import Basis
from gitchange.site.output import Output
from gitchange.site.site import Site
from tests.unit.site.builder import overview_of
from tests.unit.site.many import brief_of, many, shape_of

HOSTILE = "</script><script>alert(1)</script>\u2028\u2029\n\"'\\ \udcff\u202e "


def value_in(path: Path) -> Any:
    """What a data file hands over."""
    text = path.read_text("ascii")
    match = re.fullmatch(r'gitchange\.data\("([^"]+)",(.*)\);\n', text)
    assert match, path
    assert path.as_posix().endswith(urls.data(match[1]))
    return json.loads(match[2])


def written(catalogue: Catalogue, folder: Path, theme: str = "theme") -> set[str]:
    """Bring data files up to date; those that were written."""
    before = {p: p.stat().st_ino for p in folder.rglob("*.js")}
    output = Output(folder)
    site = Site(overview_of(), catalogue)
    register.write(site, output, theme)
    search.write(site, [], output, theme)
    output.finish(Basis("frame", catalogue.content, 0))
    return {
        p.relative_to(folder / urls.DATA).as_posix()
        for p in folder.rglob("*.js")
        if before.get(p) != p.stat().st_ino
    }


def found(folder: Path, word: str) -> set[str]:
    """The ids of the changes that have a word, read as the page that searches reads it."""
    manifest, told = value_in(folder / urls.data("search")), value_in(folder / urls.data("register"))
    ids = [change for name, *_ in told["blocks"] for change in value_in(folder / urls.data(name))["id"]]
    hits: set[str] = set()
    for name, _, start, _, starts in manifest["segments"]:
        own = [s for s in starts if s <= word][-1]
        text = value_in(folder / urls.data(f"{name}/{search.shard_name(own)}"))
        line = re.search(rf"\|{word} ([^|]*)\|", text)
        hits |= {ids[start + number] for number in decoded(line[1] if line else "")}
    return hits


def decoded(text: str) -> list[int]:
    """The numbers that `search.numbers` wrote."""
    numbers, before, step = [], -1, 0
    for character in text:
        digit = search._DIGITS.index(character)
        if digit >= search._BASE:
            step = step * search._BASE + digit - search._BASE
        else:
            before += step * search._BASE + digit + 1
            numbers.append(before)
            step = 0
    return numbers


@given(st.sets(st.integers(0, 10**7)).map(sorted))
def test_numbers_are_read_back(numbers: list[int]) -> None:
    """Whatever the steps between them."""
    assert decoded(search.numbers(numbers)) == numbers
    assert search.numbers_in(search.numbers(numbers)) == numbers
    assert not set(search.numbers(numbers)) & set("\"'&<\\`| \n")


@pytest.mark.parametrize("title", [HOSTILE, "x" * 1_000_000, "", "Ω = Σ ς"])
def test_any_title_is_data(title: str, tmp_path: Path) -> None:
    """A title cannot end the script nor a line of it, and its control characters are made visible."""
    written(many(3, {1: {"title": title, "document": {"reason": title}}}), tmp_path)
    rows = value_in(next((tmp_path / urls.DATA / "rows").iterdir()))
    assert len(rows["title"][1]) <= 300
    assert not re.search("[\u2028\u202e]", rows["title"][1])
    for path in (tmp_path / urls.DATA).rglob("*.js"):
        assert "<" not in path.read_text("ascii")
        assert path.stat().st_size < 60_000


def test_columns_hold_what_briefs_hold() -> None:
    """Shared values are found by their place, times by their steps, and files that are no change by their page."""
    shapes = [
        shape_of(0),
        shape_of(1),
        shape_of(2, title=None, type=None, risk=None, requester=None, systems=[]),
    ]
    shapes[2] |= {"path": "changes/stray.toml", "id": "stray.toml", "status": "unreadable"}
    briefs = [brief_of(number, shape, due=7 if number else None) for number, shape in enumerate(shapes)]
    columns = json.loads(json.dumps(register.columns(briefs)))
    for name in ("status", "type", "risk", "requester", "systems", "flags"):
        values, places = columns[name]
        assert [values[place] for place in places] == [shape[name] for shape in shapes]
    assert columns["title"] == [shapes[0]["title"], shapes[1]["title"], None]
    assert columns["asked"] == [briefs[0].requested // 60, 4 * 60, 4 * 60]
    assert columns["due"] == [[1, 7], [2, 7]]
    assert columns["pages"] == [[2, urls.change_file("changes/stray.toml")]]


def test_one_change_costs_one_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the block and the segment of the change that differs are written, and only they are read."""
    monkeypatch.setattr(register, "BLOCK", 300)
    monkeypatch.setattr(search, "SEGMENT", 100)
    written(many(900), tmp_path)
    assert written(many(900), tmp_path) == set()
    asked: list[int] = []

    def counting(number: int, shape: dict[str, Any]) -> dict[str, Any]:
        asked.append(number)
        return shape

    catalogue = many(900, {450: {"title": "Zebra"}}, counting)
    differs = written(catalogue, tmp_path)
    assert {name.partition("/")[0] for name in differs} == {"rows", "words", "register.js", "search.js"}
    assert len({name.rpartition("/")[0] for name in differs if name.startswith(("rows", "words"))}) == 2
    assert 450 in asked
    assert len(asked) <= 100
    assert found(tmp_path, "zebra") == {catalogue.briefs[449].id}


def test_step_by_step_gives_what_one_build_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files depend on the changes alone, not on what was there before."""
    monkeypatch.setattr(register, "BLOCK", 120)
    monkeypatch.setattr(search, "SEGMENT", 50)
    monkeypatch.setattr(search, "SHARD", 500)
    for count in (1, 60, 400, 380, 700):
        written(many(count, {7: {"title": f"Of {count}"}}), tmp_path / "steps")
    written(many(700, {7: {"title": "Of 700"}}), tmp_path / "once")
    trees = [
        {p.relative_to(tmp_path / name): p.read_bytes() for p in (tmp_path / name).rglob("*") if p.is_file()}
        for name in ("steps", "once")
    ]
    assert trees[0] == trees[1]


def test_a_missing_shard_is_made_again(tmp_path: Path) -> None:
    """The list of what is there is believed only where it is there."""
    written(many(50), tmp_path)
    shard = next((tmp_path / urls.DATA / "words").rglob("*.js"))
    name, data = shard.relative_to(tmp_path / urls.DATA).as_posix(), shard.read_bytes()
    shard.unlink()
    assert written(many(50), tmp_path) == {name}
    assert shard.read_bytes() == data


def test_no_shard_is_large(tmp_path: Path) -> None:
    """However many words a text has, and however long they are."""
    text = " ".join(f"{number:x}é{'w' * 50}" for number in range(4000))
    written(many(40, {3: {"document": {"reason": text}}}), tmp_path)
    sizes = [path.stat().st_size for path in (tmp_path / urls.DATA / "words").rglob("*.js")]
    assert max(sizes) < 60_000
    assert len(sizes) > 3
    assert len(found(tmp_path, "fé".replace("é", "e") + "w" * 38)) == 1


WORDS = ["Café", "naïve", "STRASSE", "e\u0301te\u0301", "x_y", "ada@example.org", "v1.2", "日本語", "İzmir"]


@pytest.mark.parametrize("text", WORDS)
def test_words_are_folded_as_the_command_line_folds(text: str) -> None:
    """Every word that the site finds in a text, SQLite's full text finds there too."""
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE VIRTUAL TABLE t USING fts5 (a, tokenize='unicode61 remove_diacritics 2')")
    connection.execute("INSERT INTO t VALUES (?)", (text,))
    assert search.words_of(text)
    for word in search.words_of(text):
        assert connection.execute("SELECT 1 FROM t WHERE t MATCH ?", (f'"{word}"',)).fetchone(), word


def test_capitals_and_accents_do_not_matter() -> None:
    """Nor does the letter that Greek has for the end of a word."""
    assert search.words_of("ΕΛΛΑΣ Café CAFE\u0301") == search.words_of("Ελλάς cafe")
    assert search.words_of("CHG-20251129-WQZD") == {"chg", "20251129", "wqzd"}
