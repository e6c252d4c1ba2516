"""The README's tutorial is run, command by command, and must print what the README says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "README.md"

# What differs from one run to the next, and what stands for it.
_VARYING = (
    (r"CHG-\d{8}-[0-9A-Z]{4}", "CHG"),
    (r"changes/\d{4}/\d{2}/", "changes/YYYY/MM/"),
    (r"SHA256:[A-Za-z0-9+/]{43}", "SHA256"),
    (r"\b[0-9a-f]{40}\b", "OID"),
    (r"\b[0-9a-f]{12}\b", "ID"),
    (r"\S*/acme/", "~/acme/"),
    (r"built \d+ page", "built N page"),
    (r" +", " "),
)


@dataclass(frozen=True)
class Exchange:
    """One command of the tutorial and what it prints."""

    command: str
    output: str


def exchanges() -> list[Exchange]:
    """The tutorial's commands, in order."""
    found: list[Exchange] = []
    for block in re.findall(r"<!-- tutorial -->\n```console\n(.*?)```", README.read_text(), re.DOTALL):
        command: list[str] = []
        output: list[str] = []
        for line in block.splitlines():
            if line.startswith("$ "):
                if command:
                    found.append(Exchange("\n".join(command), "\n".join(output)))
                command, output = [line[2:]], []
            elif line.startswith(">"):
                command.append(line[2:])
            else:
                output.append(line)
        found.append(Exchange("\n".join(command), "\n".join(output)))
    return found


def normal(text: str) -> str:
    """A text without what varies."""
    for pattern, word in _VARYING:
        text = re.sub(pattern, word, text)
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def test_the_tutorial_prints_what_the_readme_says(tmp_path: Path) -> None:
    """Every command of the tutorial runs as it is written and prints what stands below it."""
    told = exchanges()
    assert len(told) > 15
    mark = "----8<----"
    script = "exec 2>&1\n" + "".join(f"{e.command}\necho '{mark}'\n" for e in told)
    # The path to the program under test comes first; the rest is the user's.
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    printed = done.stdout.split(f"{mark}\n")
    assert len(printed) == len(told) + 1, done.stdout[-2000:]
    for exchange, output in zip(told, printed, strict=False):
        assert normal(output) == normal(exchange.output), exchange.command


@pytest.mark.parametrize("link", re.findall(r"\]\(((?!http)[^)#]+)\)", README.read_text()))
def test_the_readme_links_to_files_that_are_there(link: str) -> None:
    """Every relative link of the README leads to a file."""
    assert (README.parent / link).exists()
