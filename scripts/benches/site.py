"""How long the site takes to build, beside plain MkDocs with a page of the same content for each change.

    scripts/bench site [DIR...] [--sizes 1000,10000] [--runs 3] [--only PART]... [--processor] [--json FILE]

DIR are repositories that `scripts/bench make N DIR` made; without any, some of `--sizes` are made and thrown away.

- `plain`: `mkdocs build` with MkDocs' own theme and search, from a Markdown page for each change that has its request,
  sign-offs, record and history as text; and ours of everything with nothing there: with an index, and without.
- `again`: ours after one more change and sign-off, and with nothing new for either of the folders that take turns.
- `search`: the sizes of the search index's files, as a server sends them (gzip).
"""

from __future__ import annotations

import argparse
import gzip
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from _common import git
from _rows import Goal, Measuring, Row, head, options, plain_git, program, say_growth, write_figures
from make import SEED, make
from reading import Signer, copied

from gitchange.site import register, search, urls
from gitchange.site.source import load

_SIZES = (1_000, 10_000)


class SiteBench(Measuring):
    """The site of one repository."""

    def __init__(self, directory: Path, scratch: Path, runs: int, *, processor: bool) -> None:
        self.signer = Signer(directory, int(git(directory, "config", SEED)))
        super().__init__(directory, self.signer.size, runs, processor=processor)
        self.scratch = scratch
        self.output = scratch / "www" / "site"
        self._plain: float | None = None

    def plain(self) -> Iterator[Row]:
        """Everything from nothing."""
        sources = self._sources()
        mkdocs = [sys.executable, "-m", "mkdocs", "build", "--quiet"]
        theirs = self.run(mkdocs, sources)
        self._plain = self.time_of(theirs)
        build = self._build()
        self._forget_site()
        ours = self.run(build)
        yield self.row(
            "site, from nothing, with an index",
            "mkdocs build",
            [self.time_of(ours)],
            [self._plain],
            Goal(1 / 8, "ratio"),
        )
        most = 250e6 if self.size <= 10_000 else 600e6
        yield self.row(
            "its memory",
            "mkdocs build",
            [ours.peak * 1024.0],
            [theirs.peak * 1024.0],
            Goal(most, "ours"),
            "B",
        )
        self._forget_site()
        self.forget_index()
        cold = self.run(build)
        yield self.row(
            "site, from nothing, without an index", "mkdocs build", [self.time_of(cold)], [self._plain]
        )

    def again(self) -> Iterator[Row]:
        """With a site that is there."""
        build = self._build()
        self.signer.request()  # today: the site shows another month than that of the repository's last change
        self.run(build)
        self.run(build)  # both of the folders that take turns are there
        floor = [
            self._plain
            if self._plain is not None
            else self.seconds([sys.executable, "-m", "mkdocs", "build", "--quiet"], self._sources())
        ]
        changed, nothing = [], []
        for _ in range(self.runs):
            self.signer.request()
            self.signer.sign()
            changed.append(self.seconds(build))
            self.run(build)  # the folder that was published before catches up
            nothing.append(self.seconds(build))
        yield self.row(
            "site, after one change and one sign-off", "mkdocs build", changed, floor, Goal(1 / 60, "ratio")
        )
        yield self.row("site, nothing new", "mkdocs build", nothing, floor, Goal(1 / 60, "ratio"))

    def search(self) -> Iterator[Row]:
        """What readers load."""
        if not self.output.is_dir():
            self.run(self._build())
        data = self.output / urls.DATA
        for name, manifest, folder, goal in (
            ("search index, gzipped", search.MANIFEST, "words", Goal(3e6, "ours")),
            ("register, gzipped", register.MANIFEST, "rows", None),
        ):
            files = [
                data / f"{manifest}.js",
                *(path for path in (data / folder).rglob("*") if path.is_file()),
            ]
            sizes = [len(gzip.compress(path.read_bytes())) for path in files]
            pages = sum(path.stat().st_size for path in (self.output / "changes").iterdir())
            yield self.row(
                name,
                "pages of the changes",
                [float(sum(sizes))],
                [float(pages)],
                goal if self.size <= 10_000 else None,
                "B",
            )
            largest = float(max(path.stat().st_size for path in files))
            yield self.row(
                f"its largest file ({len(files)} files)",
                "pages of the changes",
                [largest],
                [float(pages)],
                Goal(60e3, "ours") if goal else None,
                "B",
            )

    def _build(self) -> list[str]:
        return program("site", "build", "--output", str(self.output))

    def _forget_site(self) -> None:
        if self.output.parent.exists():
            shutil.rmtree(self.output.parent)

    def _sources(self) -> Path:
        """A documentation project with a Markdown page for each change."""
        folder = self.scratch / "plain"
        if folder.exists():
            return folder
        (folder / "docs" / "changes").mkdir(parents=True)
        (folder / "mkdocs.yml").write_text(
            "site_name: Changes\ntheme: {name: mkdocs, highlightjs: false}\nnav: [index.md]\n"
            "validation: {nav: {omitted_files: ignore}}\n"
        )
        (folder / "docs" / "index.md").write_text("# Changes\n")
        site = load(self.directory)
        for brief in site.briefs:
            (folder / "docs" / "changes" / f"{brief.id}.md").write_text(
                _markdown(site.catalogue.whole(brief))
            )
        return folder


def _markdown(shape: dict[str, Any]) -> str:
    """What a page of ours says of a change, as Markdown."""
    document = shape["document"] or {}
    lines = [
        f"# {shape['title']}",
        "",
        f"{shape['id']}: {shape['status']}, {shape['type']}, risk {shape['risk']}",
        "",
    ]
    for name in ("reason", "scope", "rollback", "test_plan", "security_impact"):
        if name in document:
            lines += [f"## {name}", "", document[name], ""]
    lines += ["## Steps", ""]
    for number, step in enumerate(document.get("steps", ()), 1):
        lines += [f"{number}. {step['action']} ({step.get('verify', '')})"]
    lines += ["", "## Risks", "", "| risk | likelihood | impact | mitigations |", "|---|---|---|---|"]
    for risk in document.get("risks", ()):
        lines += [
            f"| {risk['description']} | {risk['likelihood']} | {risk['impact']} | {'; '.join(risk['mitigations'])} |"
        ]
    lines += ["", "## Sign-offs", ""]
    for signed in shape["sign_offs"]:
        lines += [
            f"### {signed['verdict']} by {signed['by']} as {signed['role']}",
            "",
            f"> {signed['meaning']}",
            "",
            signed["comment"],
            "",
        ]
        lines += [f"- {name}: {answer}" for name, answer in signed["answers"].items()]
        lines += [
            "",
            f"Signed {signed['time']} with `{signed['key']}`, witnessed by `{signed['witness']}`.",
            "",
        ]
    if record := document.get("record"):
        lines += ["## Record", "", record["outcome"], "", record["summary"], ""]
    lines += ["## Timeline", ""]
    lines += [f"- {v['time']} {v['author']}: {v['subject']} `{v['commit']}`" for v in shape["history"]]
    return "\n".join([*lines, ""])


PARTS = ("plain", "again", "search")


def main() -> int:
    """Measure; 1 when a command failed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("directories", nargs="*", type=Path, metavar="DIR")
    parser.add_argument(
        "--sizes", default=",".join(map(str, _SIZES)), help="how many changes the made ones have"
    )
    parser.add_argument("--only", metavar="PART", action="append", choices=PARTS, help=", ".join(PARTS))
    options(parser)
    given = parser.parse_args()
    plain_git()
    about = head(processor=given.processor)
    rows: list[Row] = []
    failures = 0
    with tempfile.TemporaryDirectory(prefix="gitchange-bench-") as folder:
        sources = given.directories or [int(size) for size in given.sizes.split(",")]
        for number, source in enumerate(sources):
            target, scratch = Path(folder) / f"{number}", Path(folder) / f"{number}-scratch"
            scratch.mkdir()
            if isinstance(source, int):
                make(target, source)
            else:
                copied(source, target)
            bench = SiteBench(target, scratch, given.runs, processor=given.processor)
            rows += bench.told(getattr(bench, part) for part in given.only or PARTS)
            failures += bench.failures
            shutil.rmtree(scratch)
    say_growth(rows)
    if given.json:
        write_figures(given.json, about, rows)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
