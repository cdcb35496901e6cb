"""Progress by bytes: percent, documents, speed and time left."""

import time
from pathlib import Path

import pytest

from sidecar.commands.progress import ProgressLine, progress
from sidecar.commands.terminal import HABITS
from sidecar.discovery import source_of
from sidecar.model import Source
from tests.support.documents import document, save
from tests.support.program import sync
from tests.support.terminal import needs_terminal, run_on_terminal


@pytest.fixture
def sources(tmp_path: Path) -> list[Source]:
    """Three documents: of 1, 1 and 8 MB."""
    found = []
    for number, megabytes in enumerate((1, 1, 8)):
        path = tmp_path / f"{number}.yjs"
        path.write_bytes(b"x" * megabytes * 1_000_000)
        found.append(source_of(str(path)))
    return found


def test_documents_count_by_their_bytes(
    sources: list[Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They count by size; the progress of the present document is estimated, and never complete."""
    clock = [100.0]
    monkeypatch.setattr("sidecar.commands.progress.time.monotonic", lambda: clock[0])
    line = ProgressLine("Reading", sources)
    clock[0] = 102.0
    line.step(sources[1].document)
    line.step()
    assert line.text(102.0) == "Reading  20%  2 of 3  1.0 MB/s  about 8 s left"
    assert line.text(106.0) == "Reading  60%  2 of 3  1.0 MB/s  about 4 s left"
    assert line.text(500.0).startswith("Reading  96%  2 of 3")
    clock[0] = 110.0
    line.step(sources[2].document)
    assert line.text(110.0) == "Reading  99%  3 of 3  1.1 MB/s  about 1 s left"
    line.step()


def test_one_document_moves_too(sources: list[Source]) -> None:
    """At an assumed speed until there is a measured one."""
    line = ProgressLine("Comparing mirrors", sources[2:])
    early, late = (line.text(line._stepped + seconds) for seconds in (1.0, 3.0))  # noqa: SLF001
    assert (early.split("  ")[1], late.split("  ")[1]) == ("17%", "43%")
    assert "1.4 MB/s" in early


def test_no_documents_are_no_division_by_nothing() -> None:
    """An empty folder is in step at once."""
    assert ProgressLine("Reading", []).text(1e9).startswith("Reading")


@pytest.fixture(scope="module")
def long_work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Mirrors that take about two seconds to verify: long enough for a progress line."""
    root, data = tmp_path_factory.mktemp("long"), document(3000)
    for number in range(6):
        save(root / str(number) / "workspace.yjs", data)
    sync(root)
    return root


@pytest.mark.medium
@needs_terminal
@pytest.mark.parametrize("color", [{}, pytest.param({"NO_COLOR": "1"}, marks=pytest.mark.slow)])
def test_long_work_shows_how_far_it_is(long_work: Path, color: dict[str, str]) -> None:
    """On a terminal, also without colours; the line is cleared at the end."""
    code, seen = run_on_terminal("verify", long_work, environment=color)
    assert code == 0
    assert "Comparing mirrors with documents  " in seen
    assert " MB/s  about " in seen
    assert not seen.rpartition("\r\x1b[K")[2].startswith("Comparing")


@pytest.mark.slow
@needs_terminal
def test_quiet_shows_no_progress(long_work: Path) -> None:
    """However long the work takes."""
    code, seen = run_on_terminal("verify", "-q", long_work)
    assert (code, "MB/s" in seen) == (0, False)


@pytest.mark.medium
@needs_terminal
def test_the_first_pass_of_watch_shows_how_far_it_is(tmp_path: Path, large: bytes) -> None:
    """Below the events, and it is cleared at the end of the pass."""
    for number in range(2):
        save(tmp_path / str(number) / "workspace.yjs", large)
    code, seen = run_on_terminal("watch", tmp_path, until="ready  ")
    assert code == 0
    assert "Syncing  " in seen
    assert "of 2  " in seen
    assert " MB/s  about " in seen
    shown = [line.rpartition("\r\x1b[K")[2] for line in seen.split("\r\n")]
    assert not any("MB/s" in line for line in shown)
    assert sum("rebuilt" in line for line in shown) == 3


@pytest.mark.parametrize("is_quiet", [False, True])
def test_quiet_draws_no_line(
    sources: list[Source], monkeypatch: pytest.MonkeyPatch, *, is_quiet: bool
) -> None:
    """Elsewhere a terminal that can move its cursor has one."""
    monkeypatch.setattr(HABITS, "is_quiet", is_quiet)
    monkeypatch.setattr("sidecar.commands.progress.sys.stderr.isatty", lambda: True)
    monkeypatch.setattr("sidecar.commands.progress.is_capable", lambda: True)
    with progress("Reading", sources) as line:
        assert isinstance(line, ProgressLine) is not is_quiet


def test_what_is_not_waited_for_is_done(sources: list[Source]) -> None:
    """The first pass counts so: a document in step has no event."""
    line = ProgressLine("Syncing", sources)
    line.keep({source.document for source in sources})
    assert "0 of 3  " in line.text(time.monotonic())
    line.keep({sources[1].document})
    assert "2 of 3  " in line.text(time.monotonic())


def test_small_documents_come_first_and_nothing_goes_back(
    sources: list[Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The start of the workers is not taken for the pace, nor the large document for the first."""
    clock = [100.0]
    monkeypatch.setattr("sidecar.commands.progress.time.monotonic", lambda: clock[0])
    line = ProgressLine("Syncing", sources)
    assert line.text(101.0).startswith("Syncing  10%  0 of 3")  # of the first, at the usual pace
    clock[0] = 104.0
    line.step(sources[0].document)
    clock[0] = 104.5
    line.step(sources[1].document)
    assert line.text(104.5) == "Syncing  20%  2 of 3  2.0 MB/s  about 4 s left"
    shares = [line.text(104.5 + seconds).split("  ")[1] for seconds in (0, 1, 2, 1)]
    assert shares == ["20%", "40%", "60%", "60%"]
