"""How long change files take to be read as TOML, beside `tomllib`: scripts/bench toml [COUNT]

COUNT requests (500 unless told) of about 2 KB as `gitchange new` writes them, and as many closed with a record. Both
readers take turns, and the best of several turns counts: what else the machine does only makes them slower.
"""

from __future__ import annotations

import base64
import datetime as dt
import gc
import hashlib
import random
import sys
import time
import tomllib
from collections.abc import Callable, Sequence
from typing import Any

import _company as company

from gitchange.model import quick_toml
from gitchange.model.change import write_change
from gitchange.model.identifiers import new_id
from gitchange.model.record import Record, RecordSignOff, append_record
from gitchange.model.statement import MEANINGS, Answers
from gitchange.model.toml import parse

_SEED = 1
_TURNS = 15
_BEGIN = dt.datetime(2026, 1, 5, 8, tzinfo=dt.UTC)


def requests(count: int) -> list[bytes]:
    """Change files of the benches' company."""
    rng = random.Random(_SEED)  # noqa: S311 - the same on every machine
    texts = []
    for number in range(count):
        at = _BEGIN + dt.timedelta(hours=number)
        change, requester = new_id(at.date(), rng.randbytes(3)), rng.choice(company.ROLES["developer"])
        texts.append(write_change(company.request(rng, change, company.kind_of(rng), requester, at)))
    return texts


def documented(raw: bytes) -> bytes:
    """The change file closed with a record of two sign-offs, whose envelopes are as long as real ones."""
    payload, signature = (base64.b64encode(bytes(length)).decode() for length in (900, 190))
    envelope = f'{{"payload":"{payload}","signatures":[{{"keyid":"SHA256:{"x" * 43}","sig":"{signature}"}}]}}'
    signed = [
        RecordSignOff(
            step=step,
            verdict=verdict,
            by=by,
            role=role,
            time=_BEGIN,
            key=f"SHA256:{'x' * 43}",
            meaning=MEANINGS[verdict],
            answers=Answers(necessary=True, feasible=True, safe=True),
            envelope=envelope,
        )
        for step, verdict, by, role in (
            ("evaluation", "approve", "ada@example.org", "change-manager"),
            ("validation", "validate", "dee@example.org", "system-user"),
        )
    ]
    record = Record(
        outcome="successful",
        summary="Done as planned.",
        documented_by="ada@example.org",
        time=_BEGIN,
        request_bytes=len(raw),
        request_blob="0" * 40,
        request_sha256=hashlib.sha256(raw).hexdigest(),
        sign_offs=tuple(signed),
    )
    return append_record(raw, record)


def seconds_for_all(read: Callable[[Any], object], texts: Sequence[Any]) -> float:
    """How long it takes to read them one after the other."""
    began = time.perf_counter()
    for text in texts:
        read(text)
    return time.perf_counter() - began


def compare(name: str, raws: list[bytes]) -> None:
    """Measure and print."""
    texts = [raw.decode() for raw in raws]
    skipped = sum(quick_toml.loads(text) is None for text in texts)
    work: dict[str, tuple[Callable[[Any], object], Sequence[Any]]] = {
        "tomllib": (tomllib.loads, texts),
        "quick": (quick_toml.loads, texts),
        "parse": (parse, raws),
    }
    best = dict.fromkeys(work, float("inf"))
    for _ in range(_TURNS):
        for reader, (read, those) in work.items():
            best[reader] = min(best[reader], seconds_for_all(read, those))
    print(f"{name:<31}{len(raws):>9}   ({sum(map(len, raws)) / len(raws):.0f} bytes each)")
    for reader, label in (("quick", "ours: quick_toml"), ("parse", "ours: parse"), ("tomllib", "tomllib")):
        print(f"  {label:<29}{best[reader] / len(raws) * 1e6:>9.1f} µs each")
    print(f"  tomllib / parse              {best['tomllib'] / best['parse']:>9.1f}")
    print(f"  left to tomllib              {skipped:>9}")


def main(count: int) -> int:
    """Make, measure, print."""
    raws = requests(count)
    gc.freeze()
    compare("requests", raws)
    compare("documented changes", [documented(raw) for raw in raws])
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 500))
