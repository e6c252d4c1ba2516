"""The line that tells how far long work is: only at a terminal, and gone in the end."""

from __future__ import annotations

import io

import pytest

from gitchange.cli import terminal


class Screen(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        """It is one."""
        return True


def test_nothing_is_told_in_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log file gets no bars."""
    out = io.StringIO()
    monkeypatch.setattr("sys.stderr", out)
    with terminal.progress() as tell:
        assert tell is None
    assert out.getvalue() == ""


def test_line_is_told_and_taken_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes long is told with how far it is, at most ten times a second; in the end the line is empty again."""
    out, clock = Screen(), [100.0]
    monkeypatch.setattr("sys.stderr", out)
    monkeypatch.setattr(terminal.time, "monotonic", lambda: clock[0])
    with terminal.progress() as tell:
        assert tell is not None
        tell("judging changes", 1, 8000)
        assert out.getvalue() == "", "what is quick is not told"
        for seconds, done in ((0.6, 2000), (0.65, 2100), (1.0, 4000)):
            clock[0] = 100.0 + seconds
            tell("judging changes", done, 8000)
    assert "25%  judging changes: 2,000 of 8,000" in out.getvalue()
    assert "2,100" not in out.getvalue()
    assert "50%  judging changes: 4,000 of 8,000" in out.getvalue()
    assert out.getvalue().endswith("\r\x1b[K")


def test_interrupted_work_leaves_no_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever ends the work, the terminal is left as it was."""
    out, clock = Screen(), [0.0]
    monkeypatch.setattr("sys.stderr", out)
    monkeypatch.setattr(terminal.time, "monotonic", lambda: clock[0])

    def work() -> None:
        with terminal.progress() as tell:
            assert tell is not None
            clock[0] = 1.0
            tell("judging changes", 1, 2)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    assert out.getvalue().endswith("\r\x1b[K")
