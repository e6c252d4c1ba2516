"""Work on many things by several processes, where the machine has several cores.

The processes are forks: what was read before they begin they have already. Where a fork is not possible, or not worth
it, the same work is done here. What the work means is left to others.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any, BinaryIO, TypeVar

    Item = TypeVar("Item")

    Result = TypeVar("Result")


_WORTH_IT = 500
"""For fewer things another process is not begun."""

_PORTION = 100
"""How many things are worked on at once; each worker has the next portion but one, and so on."""


def spread(work: Callable[[Sequence[Item]], Result], items: Sequence[Item]) -> Iterator[Result]:
    """The results of working on each portion of the items, in order.

    A result must be plain data. When the work raises, or a worker ends in any other way, its portion is worked on
    again here, so that an error is raised as if there were one process.
    """
    portions = [items[start : start + _PORTION] for start in range(0, len(items), _PORTION)]
    count = min(_cores(), len(portions)) if len(items) > _WORTH_IT and sys.platform != "win32" else 1
    if count < 2:
        yield from map(work, portions)
        return
    workers: list[_Worker] = []
    import gc  # noqa: PLC0415 - few commands have so much to do that they begin processes

    # What is there already will not be thrown away: the collector need not touch, and so copy, its pages.
    gc.collect()
    gc.freeze()
    try:
        for number in range(count):
            if (worker := _begin(work, portions[number::count])) is None:
                break
            workers.append(worker)
        for number, portion in enumerate(portions):
            answer = workers[number % count].next() if number % count < len(workers) else None
            yield work(portion) if answer is None else answer[0]
    finally:
        gc.unfreeze()
        for worker in workers:
            worker.end()


def _cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Worker:
    """A process and what it says."""

    def __init__(self, process: int, answers: BinaryIO) -> None:
        self._process, self._answers = process, answers

    def next(self) -> tuple[Any] | None:
        """Its next result, alone in a tuple; None when it has none to give."""
        import pickle  # noqa: PLC0415 - only where there are several processes

        try:
            return (pickle.load(self._answers),)  # noqa: S301 - a fork of this very process wrote it
        except (EOFError, OSError, pickle.UnpicklingError):
            return None

    def end(self) -> None:
        """Make sure that it is gone, whatever it was doing."""
        self._answers.close()
        import signal  # noqa: PLC0415 - only where there are several processes

        os.kill(self._process, signal.SIGKILL)  # it is this process's child until it is waited for
        os.waitpid(self._process, 0)


def _begin(work: Callable[[Sequence[Item]], Result], portions: Sequence[Sequence[Item]]) -> _Worker | None:
    """A worker on these portions; None where there can be none."""
    import pickle  # noqa: PLC0415 - only where there are several processes
    import signal  # noqa: PLC0415 - only where there are several processes

    parent = os.getpid()
    reading, writing = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        process = os.fork()
    except OSError:
        os.close(reading)
        os.close(writing)
        return None
    if process:
        os.close(writing)
        return _Worker(process, os.fdopen(reading, "rb"))
    try:
        # An interrupt is for the process that asked; it ends its workers. One that nobody ends sees that it has no
        # parent any more, or nobody who reads.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        os.close(reading)
        with os.fdopen(writing, "wb") as answers:
            for portion in portions:
                if os.getppid() != parent:
                    break
                pickle.dump(work(portion), answers, pickle.HIGHEST_PROTOCOL)
                answers.flush()
    except BaseException:  # noqa: S110 - the one who waits does this portion again, and raises what is to be raised
        pass
    finally:
        os._exit(0)  # nothing that the parent left to be done at its end is done here
