"""Pipes: how a stream is cut into lines."""

import pytest

from sidecar.pipes import split_lines


@pytest.mark.parametrize(
    ("chunks", "lines"),
    [
        ([], []),
        ([b"a\n"], [b"a"]),
        ([b"a\nb\n"], [b"a", b"b"]),
        ([b"a", b"b\nc", b"", b"d\n"], [b"ab", b"cd"]),
        ([b"a\nb"], [b"a", b"b"]),
        ([b"\n \n\r\n\t\n"], []),
        ([b"a\r\n"], [b"a\r"]),
        ([b"\xff\n\x00\n"], [b"\xff", b"\x00"]),
    ],
)
def test_lines_come_out_however_they_were_sent(chunks: list[bytes], lines: list[bytes]) -> None:
    """Half lines are joined, blank ones dropped, an unfinished last one is a line."""
    assert list(split_lines(iter(chunks))) == lines


def test_an_endless_line_is_cut_and_the_next_is_whole() -> None:
    """Megabytes without a line break are one cut line, and are not kept in memory."""
    chunks = [b"x" * 60_000] * 50 + [b'\n{"type": "ping"}\n']
    lines = list(split_lines(iter(chunks), 1000))
    assert [len(line) for line in lines] == [1000, 16]
    assert lines[1] == b'{"type": "ping"}'
