"""What the benches tell: figures of ours, each beside a floor and a goal, from commands that are run in turns.

What is measured, and in which repository, is told by `reading.py` and `peers.py`.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime as dt
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from _common import Failed, Spent, git, run_measured

__all__ = [
    "Goal",
    "Measuring",
    "Row",
    "head",
    "options",
    "plain_git",
    "program",
    "say_growth",
    "write_figures",
]

_LONG = 20.0
"""So many seconds a measurement may go on before no further run is begun."""


@dataclass(frozen=True)
class Goal:
    """The most that ours may take."""

    most: float
    of: Literal["ratio", "difference", "ours"]
    """Whether that is said of ours divided by the floor, of ours less the floor, or of ours whatever the floor."""


@dataclass(frozen=True)
class Row:
    """One comparison."""

    name: str
    size: int
    """How many changes there are."""
    ours: float
    floor_name: str
    floor: float
    goal: Goal | None = None
    unit: str = "s"
    """Seconds (`s`) or bytes (`B`)."""
    runs: int = 1
    part: str = ""
    """The measurement that it belongs to, as `--only` names it."""

    @property
    def ratio(self) -> float:
        """How many times the floor ours is."""
        return self.ours / self.floor

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None without one."""
        if self.goal is None:
            return None
        reached = {"ratio": self.ratio, "difference": self.ours - self.floor, "ours": self.ours}
        return reached[self.goal.of] <= self.goal.most


# -- telling ---------------------------------------------------------------------------------


def head(*, processor: bool) -> dict[str, Any]:
    """Tell on what machine and how is measured, and the head of the table; the same for programs."""
    model = next((line for line in _cpuinfo() if line.startswith("model name")), "").partition(":")[2].strip()
    machine = {
        "date": f"{dt.datetime.now(dt.UTC):%Y-%m-%d}",
        "system": f"{platform.system()} {platform.machine()}",
        "processor": model or platform.processor(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "git": git(Path(), "--version").removeprefix("git version "),
    }
    measured = "processor" if processor else "clock"
    print(", ".join(f"{what} {said}" for what, said in machine.items()))
    print(
        f"time of the {measured}; medians of runs in turns; a goal is of the ratio where nothing else is said"
    )
    print(
        f"{'changes  what':<56} {'ours':>10}  {'floor':>10}  {'which is':<44} {'ratio':>8}  goal", flush=True
    )
    return {"machine": machine, "time": measured}


def _cpuinfo() -> list[str]:
    try:
        return Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        return []


def say(row: Row) -> None:
    """A line of the table, as soon as it is known."""
    print(
        f"{row.size:>7,}  {row.name:<47} {_figure(row.ours, row.unit):>10}  {_figure(row.floor, row.unit):>10}  "
        f"{row.floor_name:<44} {_ratio(row.ratio):>8}  {_goal(row)}".rstrip(),
        flush=True,
    )


def say_growth(rows: Iterable[Row]) -> None:
    """How ours and the floor have grown from one size to the next: each name's first row, the smallest size first."""
    sizes: dict[str, dict[int, Row]] = {}
    for row in rows:
        sizes.setdefault(row.name, {}).setdefault(row.size, row)
    for name, by_size in sizes.items():
        ordered = [row for _, row in sorted(by_size.items())]
        for small, large in pairwise(ordered):
            print(
                f"{small.size:>7,} to {large.size:<9,} {name:<47} "
                f"ours {_ratio(large.ours / small.ours)}, floor {_ratio(large.floor / small.floor)}",
                flush=True,
            )


def _figure(value: float, unit: str) -> str:
    if unit == "B":
        return f"{value / 1e6:,.1f} MB" if value >= 1e6 else f"{value / 1e3:,.1f} kB"
    return f"{value:,.2f} s" if value >= 1 else f"{value * 1000:,.1f} ms"


def _ratio(value: float) -> str:
    return f"x {value:,.1f}" if value >= 0.5 else f"1/{1 / value:,.1f}"


def _goal(row: Row) -> str:
    if row.goal is None:
        return ""
    reached = "met" if row.met else "MISSED"
    match row.goal.of:
        case "ratio":
            most = f"{row.goal.most:g}" if row.goal.most >= 0.5 else f"1/{1 / row.goal.most:g}"
            return f"at most {most}: {reached}"
        case "difference":
            less = row.ours - row.floor
            told = f"{'less' if less < 0 else 'more'} by {_figure(abs(less), row.unit)}"
            return f"at most {_figure(row.goal.most, row.unit)} more: {reached}, {told}"
        case "ours":
            return f"at most {_figure(row.goal.most, row.unit)}: {reached}"


def write_figures(file: Path, about: dict[str, Any], rows: Iterable[Row]) -> None:
    """The same for programs: times in seconds, memory and loose objects in bytes."""
    told = [{**dataclasses.asdict(row), "ratio": row.ratio, "met": row.met} for row in rows]
    file.write_text(json.dumps({**about, "rows": told}, indent=2) + "\n", encoding="utf-8")


# -- measuring -------------------------------------------------------------------------------


def options(parser: argparse.ArgumentParser) -> None:
    """What every bench that tells rows can be asked for."""
    parser.add_argument("--runs", type=int, default=5, help="how often; what takes long is run less often")
    parser.add_argument("--processor", action="store_true", help="measure processor time, not the clock's")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the figures for programs")


def plain_git() -> None:
    """Let git be as it is without anybody's settings: a commit that is signed takes longer."""
    os.environ |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}


def program(*arguments: str) -> list[str]:
    """The installed command beside this Python, which is what people start."""
    command = Path(sys.executable).with_name("gitchange")
    return [*([str(command)] if command.exists() else [sys.executable, "-m", "gitchange"]), *arguments]


class Measuring:
    """Commands in one repository, run in turns."""

    def __init__(self, directory: Path, size: int, runs: int, *, processor: bool) -> None:
        self.directory, self.size, self.runs = directory, size, runs
        self._processor = processor
        self.git_dir = Path(git(directory, "rev-parse", "--absolute-git-dir"))
        self.failures = 0
        """How many parts were not measured to their end, since a command failed."""

    def told(self, parts: Iterable[Callable[[], Iterator[Row]]]) -> list[Row]:
        """Measure one part after the other, and tell each row as it comes; a part that fails is told, too."""
        rows: list[Row] = []
        for part in parts:
            try:
                for row in part():
                    rows.append(dataclasses.replace(row, part=part.__name__))
                    say(rows[-1])
            except Failed as failed:
                self.failures += 1
                print(f"{self.size:>7,}  FAILED: {failed}", flush=True)
        return rows

    def run(self, work: list[str], directory: Path | None = None, source: Path = Path("/dev/null")) -> Spent:
        """Run it, in the repository unless told otherwise. Failed when its exit code is not 0."""
        done = run_measured(work, directory or self.directory, source)
        if done.code != 0:
            raise Failed(f"exit code {done.code}: {' '.join(work)}\n{done.said}".rstrip())
        return done

    def seconds(self, work: list[str], directory: Path | None = None) -> float:
        """How long it takes."""
        return self.time_of(self.run(work, directory))

    def time_of(self, spent: Spent) -> float:
        """The kind of time that is measured."""
        return spent.processor if self._processor else spent.seconds

    def clock(self) -> float:
        """What time it is, for what is done in this process."""
        return time.process_time() if self._processor else time.perf_counter()

    def while_short(self) -> Iterator[int]:
        """So many runs as were asked for, but none is begun when they have taken long."""
        began = time.perf_counter()
        for number in range(self.runs):
            if number and time.perf_counter() - began > _LONG:
                return
            yield number

    def compare(
        self,
        name: str,
        floor_name: str,
        ours: list[str],
        floor: list[str],
        goal: Goal | None = None,
        before: Callable[[], None] = lambda: None,
        *,
        ours_in: Path | None = None,
        floor_in: Path | None = None,
    ) -> Row:
        """Two commands in turns; `before` each of ours something is done that is not timed."""
        mine, theirs = [], []
        for _ in self.while_short():
            before()
            mine.append(self.seconds(ours, ours_in))
            theirs.append(self.seconds(floor, floor_in))
        return self.row(name, floor_name, mine, theirs, goal)

    def row(
        self,
        name: str,
        floor_name: str,
        ours: list[float],
        floor: list[float],
        goal: Goal | None = None,
        unit: str = "s",
    ) -> Row:
        """The medians of what was measured."""
        mine, theirs = statistics.median(ours), statistics.median(floor)
        return Row(name, self.size, mine, floor_name, theirs, goal, unit, len(ours))

    def skip(self, words: str) -> None:
        """Tell that something is not measured, and why."""
        print(f"{self.size:>7,}  left out: {words}", flush=True)

    def forget_index(self) -> None:
        """Let the next command find no index."""
        for file in (self.git_dir / "gitchange").glob("index*"):
            file.unlink()
