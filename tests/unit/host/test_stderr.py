"""stderr: repeated warnings are counted, lines stay in order, writing never waits."""

import logging
import threading

import pytest

from sidecar.commands.logs import log_to_stderr
from sidecar.host.stderr import ROOM, Repeats, Stderr


def test_a_text_is_said_once_and_then_counted() -> None:
    """At 10, 100 and 1000 times; another text has a count of its own."""
    repeats = Repeats()
    said = [repeats.said("locked", number / 4) for number in range(1200)]
    assert [text for text in said if text] == [
        "locked",
        "locked (10 times by now)",
        "locked (100 times by now)",
        "locked (1000 times by now)",
    ]
    assert repeats.said("other", 0.0) == "other"


def test_what_was_not_said_for_long_is_news() -> None:
    """A warning that comes again after a long time is printed again."""
    repeats = Repeats()
    assert repeats.said("locked", 0.0)
    assert not repeats.said("locked", 500.0)
    assert not repeats.said("locked", 1000.0)
    assert repeats.said("locked", 1700.0) == "locked"


def test_texts_without_end_take_no_memory_without_end() -> None:
    """The oldest ones are forgotten."""
    repeats = Repeats()
    for number in range(5000):
        repeats.said(str(number), 0.0)
    assert len(repeats._seen) <= 1000  # noqa: SLF001 - it shows nowhere else


def test_logged_warnings_are_counted_and_other_records_are_not(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four warnings a second for a minute are three lines."""
    root = logging.Logger("sidecar")  # noqa: LOG001 - one of its own, without pytest's handlers
    monkeypatch.setattr(logging, "root", root)
    log_to_stderr("info")
    for _ in range(240):
        root.warning("%s cannot be read: %s", "/x", "no")
        root.info("at work")
    lines = capsys.readouterr().err.splitlines()
    warnings = [line for line in lines if "cannot be read" in line]
    assert [line.partition(": no")[2] for line in warnings] == [
        "",
        " (10 times by now)",
        " (100 times by now)",
    ]
    assert len([line for line in lines if "at work" in line]) == 240


def test_writing_never_waits_and_says_what_was_left_out() -> None:
    """A reader that continues later gets the first lines, and the number of dropped ones."""
    gate, heard = threading.Event(), list[bytes]()

    def write(data: bytes) -> None:
        gate.wait(30)
        heard.append(data)

    stderr = Stderr(write)
    stderr.write("first\n")
    for number in range(3 * ROOM):
        stderr.write(f"{number}\n")
    gate.set()
    stderr.finish(30)
    text = b"".join(heard).decode()
    assert text.startswith("first\n0\n1\n")
    assert "lines were left out: stderr was not read" in text


def test_a_reader_that_is_gone_is_not_written_to_again() -> None:
    """The process goes on without it."""
    tries: list[bytes] = []

    def write(data: bytes) -> None:
        tries.append(data)
        raise BrokenPipeError

    stderr = Stderr(write)
    stderr.write("one\n")
    stderr.finish(0.0)
    stderr.write("two\n")
    stderr.finish(30)
    assert len(tries) <= 1


def test_a_stalled_reader_does_not_delay_the_end() -> None:
    """The last lines wait a moment, and no longer."""
    gate = threading.Event()

    def write(_: bytes) -> None:
        gate.wait(60)

    stderr = Stderr(write)
    stderr.write("never read\n")
    stderr.finish(0.05)
    gate.set()


def test_writing_nothing_does_not_end_it() -> None:
    """``print(line, end="")`` writes an empty text after each line, as tracebacks do."""
    written: list[bytes] = []
    first = threading.Event()

    def write(data: bytes) -> None:
        written.append(data)
        first.set()

    stderr = Stderr(write)
    print("first", file=stderr)
    assert first.wait(10)
    stderr.write("")
    stderr._thread.join(0.2)  # noqa: SLF001 - it must not end
    print("second", end="", file=stderr)
    stderr.finish(10)
    assert b"".join(written) == b"first\nsecond"
