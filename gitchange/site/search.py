"""The site's full text: which changes have which words, in files of which a search loads a few.

1. A text is folded to words as the command line's full text does it: small letters, no accents, letters and digits.
2. The changes of a segment (`blocks`) are numbered by path; for each word there is a list of numbers.
3. The sorted words of a segment are cut into shards, each a script that hands over one string. A shard is called after
   the shortest beginning of its first word that tells it from the word before: the names alone say where a word is.
4. A segment whose changes are what they were stays as it is, without being read.

Asking is for `site-templates/assets/search.js`, which folds in the same way.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import insort
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import takewhile

from gitchange.assessment.shapes import texts_of
from gitchange.assessment.spreading import spread
from gitchange.index.place import digest
from gitchange.site import register, urls
from gitchange.site.blocks import Block, blocks
from gitchange.site.catalogue import Brief
from gitchange.site.delta import Delta
from gitchange.site.output import Output
from gitchange.site.site import Site

SEGMENT = 1000
"""At most so many changes are in a segment: one that changed makes its segment anew."""

SHARD = 32_000
"""A shard has about so many bytes, and at most a word more."""

MANIFEST = "search"
"""Names the file that says which segments and shards there are."""

LONGEST = 40
"""Of a longer word, a digest for example, its beginning is found."""

_WORD = re.compile(r"[^\W_]+")
_ACCENTS = re.compile("[\u0300-\u036f]")
_PLAIN = re.compile(r"[^a-z0-9]")

_DIGITS = "".join(chr(code) for code in range(33, 127) if chr(code) not in "\"'&<\\`|")
"""What numbers are written with: nothing that a script or a shard gives a meaning."""
_BASE = 40


def words_of(text: str) -> set[str]:
    """The words of a text, as they are looked for."""
    if not text.isascii():
        text = _ACCENTS.sub("", unicodedata.normalize("NFD", text))
    return {word[:LONGEST] for word in _WORD.findall(text.lower().replace("ς", "σ"))}


def numbers(ascending: Iterable[int]) -> str:
    """Numbers as short text: the step from one to the next, less one, most digits first.

    The last digit of each is one of the first forty characters, those before it are of the second forty.
    """
    said: list[str] = []
    before = -1
    for number in ascending:
        step, before = number - before - 1, number
        last = _DIGITS[step % _BASE]
        while step := step // _BASE:
            last = _DIGITS[_BASE + step % _BASE] + last
        said.append(last)
    return "".join(said)


def numbers_in(said: str) -> list[int]:
    """What `numbers` was given; ValueError for what it never says."""
    found: list[int] = []
    before, step = -1, 0
    for digit in map(_DIGITS.index, said):
        if digit >= _BASE:
            step = step * _BASE + digit - _BASE
        else:
            before += step * _BASE + digit + 1
            found.append(before)
            step = 0
    return found


def shards(words: Mapping[str, Sequence[int]]) -> list[tuple[str, str]]:
    """The words of a segment with their numbers, cut; before each shard, what tells its first word from the last."""
    cut: list[tuple[str, str]] = []
    lines, size, start, before = [""], 1, "", ""
    # As scripts compare texts: by units of UTF-16.
    for word in sorted(words, key=lambda word: word.encode("utf-16-be", "surrogatepass")):
        line = f"{word} {numbers(words[word])}"
        length = len(line) + 1 + 11 * (not word.isascii()) * len(word)
        if size + length > SHARD:
            cut.append((start, "|".join([*lines, ""])))
            same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(before, word, strict=False)))
            start = word[: same + 1]
            lines, size = [""], 1
        lines.append(line)
        size += length
        before = word
    cut.append((start, "|".join([*lines, ""])))
    return cut


def shard_name(start: str) -> str:
    """The last part of a shard's name. `-` and `.` are in no word; what some system takes for a device has them."""
    return "w-" + _PLAIN.sub(lambda found: f"-{ord(found[0]):x}.", start)


def _start_of(name: str) -> str:
    """What `shard_name` was given, from a file's name."""
    return re.sub(r"-([0-9a-f]+)\.", lambda found: chr(int(found[1], 16)), name[2:].removesuffix(".js"))


Document = tuple[str, str, str]
"""A hand-written page: its address, title and text."""


def write(
    site: Site, documents: Sequence[Document], output: Output, theme: str, delta: Delta | None = None
) -> None:
    """Bring the index up to date. `theme` names what everything is made with."""
    segments = blocks(site.catalogue.paths, SEGMENT)
    names = [f"words/{urls.block(s.prefix)}" for s in segments]
    made: list[str] = []
    starts: list[list[str] | None] = []
    for name, segment in zip(names, segments, strict=True):
        folder = urls.data_folder(name)[:-1]
        shards_there = output.below(folder) if delta is not None and not delta.touches(segment.prefix) else []
        inputs = output.inputs_of(shards_there[0]) if shards_there else None
        if inputs is None:
            inputs = register.made_from(theme, site.catalogue.of_paths(segment.start, segment.stop))
        kept = output.keeps(folder, inputs)
        made.append(inputs)
        starts.append(None if kept is None else [_start_of(file) for file in kept])
    todo: list[int] = []
    for place, kept in enumerate(starts):
        if kept is None:
            known = (
                _continued(site, output, names[place], segments[place], delta) if delta is not None else None
            )
            if known is None:
                todo.append(place)
            else:
                starts[place] = _put(output, names[place], known, made[place])
    for number, words in _read(site, [segments[place] for place in todo]):
        starts[todo[number]] = _put(output, names[todo[number]], words, made[todo[number]])
    for folder in {path.rpartition("/")[0] for path in output.below(f"{urls.DATA}words")}:
        if folder[len(urls.DATA) :] not in names:
            output.only(f"{folder}/", ())
    told = [
        [name, inputs, segment.start, segment.stop - segment.start, sorted(found or [], key=_units)]
        for name, inputs, segment, found in zip(names, made, segments, starts, strict=True)
    ]
    manifest: dict[str, object] = {"segments": told, "documents": None}
    if documents:
        by_word: dict[str, list[int]] = {}
        for number, (_, title, text) in enumerate(documents):
            for word in words_of(f"{title}\n{text}"):
                by_word.setdefault(word, []).append(number)
        own = digest("\n".join(map(repr, documents)).encode("utf-8", "replace"))
        found = _put(output, "words/~documents", by_word, "")
        manifest["documents"] = [
            ["words/~documents", own, 0, len(documents), found],
            [[address, title] for address, title, _ in documents],
        ]
    output.put(urls.data(MANIFEST), register.script(MANIFEST, manifest))


def _units(word: str) -> bytes:
    return word.encode("utf-16-be", "surrogatepass")


def _put(output: Output, name: str, words: Mapping[str, Sequence[int]], inputs: str) -> list[str]:
    """Write a segment; what its shards are called after."""
    output.only(urls.data_folder(name), ())  # but for what is written now
    found = []
    for start, text in shards(words):
        shard = f"{name}/{shard_name(start)}"
        output.put(urls.data(shard), register.script(shard, text), inputs)
        found.append(start)
    return found


def _continued(
    site: Site, output: Output, name: str, segment: Block, delta: Delta
) -> dict[str, list[int]] | None:
    """The words of a segment from its shards as they are, but for the changes that differ; None where there are none.

    1. from which number a change had to which it has;
    2. the words that there are, of those that stay;
    3. the words of those that differ.
    """
    folder = urls.data_folder(name)
    # 1.
    paths = site.catalogue.paths[segment.start : segment.stop]
    place_of = {path: place for place, path in enumerate(paths)}
    differing = frozenset(delta.paths)
    places = [
        -1 if path in differing else place_of.get(path, -1)
        for path in delta.paths_before(paths, segment.prefix)
    ]
    # 2.
    words: dict[str, list[int]] = {}
    try:
        for shard in output.below(folder[:-1]):
            told = register.value_in(output.read(shard) or b"")
            for line in str(told).split("|")[1:-1]:
                word, _, said = line.partition(" ")
                own = [place for number in numbers_in(said) if (place := places[number]) >= 0]
                if own:
                    words[word] = own
    except (ValueError, IndexError):
        return None  # somebody else's
    if not words:
        return None
    # 3.
    for brief in delta.changed:
        if (own_place := place_of.get(brief.path)) is not None:
            for word in words_of("\n".join(texts_of(site.catalogue.whole(brief)))):
                insort(words.setdefault(word, []), own_place)
    return words


def _read(site: Site, segments: Sequence[Block]) -> Iterator[tuple[int, dict[str, list[int]]]]:
    """The words of some segments, one segment after the other."""
    items = [
        (number, own, brief)
        for number, segment in enumerate(segments)
        for own, brief in enumerate(site.catalogue.of_paths(segment.start, segment.stop))
    ]

    def work(portion: Sequence[tuple[int, int, Brief]]) -> dict[int, dict[str, list[int]]]:
        found: dict[int, dict[str, list[int]]] = {}
        for number, own, brief in portion:
            words = found.setdefault(number, {})
            for word in words_of("\n".join(texts_of(site.catalogue.whole(brief)))):
                words.setdefault(word, []).append(own)
        return found

    current, gathered = 0, dict[str, list[int]]()
    for found in spread(work, items):
        for number, words in found.items():
            if number != current:
                yield current, gathered
                current, gathered = number, {}
            for word, own in words.items():
                gathered.setdefault(word, []).extend(own)
    if items:
        yield current, gathered
