"""The flow of documents through the workers, with a worker that does as it is told."""

from pathlib import Path

import msgspec
import pytest

from sidecar.files import FileVersion
from sidecar.host.protocol import Event, StatusReport, Synced
from sidecar.model import Changes, Collapse, Failed, Rebuilt, Unchanged
from sidecar.supervisor.dispatch import LIGHT_BYTES
from sidecar.supervisor.requests import SyncRequest
from sidecar.supervisor.schedule import RESTED_TRIES, RETRY_MS, SLOW_MS
from sidecar.workers.messages import Ended
from tests.support.workers import DispatchDesk

V1, V2 = FileVersion(1, 1, 1, 1, 1), FileVersion(1, 2, 1, 1, 1)
IN_STEP = Unchanged("bytes", "d1")
REBUILT = Rebuilt("changed", Changes(("t",), ()), 1, 0, regressed=False, ms=5, digest="d2")


@pytest.fixture
def desk(tmp_path: Path) -> DispatchDesk:
    """Return a desk."""
    return DispatchDesk(tmp_path)


def test_a_document_that_is_still_being_written_waits(
    desk: DispatchDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was changed after the last event that was heard; half a second later it is synced."""
    document = desk.add("w")
    desk.documents[document].due.at = None
    desk.documents.touch(document, desk.now - 0.5)
    monkeypatch.setattr("sidecar.supervisor.dispatch.rested_s", lambda _: 0.1)
    assert desk.names() == []
    assert desk.dispatcher.next_step() == pytest.approx(desk.now + 0.4)
    desk.now += 0.4
    monkeypatch.setattr("sidecar.supervisor.dispatch.rested_s", lambda _: 0.5)
    assert desk.names() == ["w"]


def test_small_documents_share_a_job_and_large_ones_do_not(desk: DispatchDesk) -> None:
    """Most are in step; a large one would keep the others waiting."""
    for name, size in (("a", 10), ("b", 10), ("c", LIGHT_BYTES + 1), ("d", 10)):
        desk.add(name, size)
        desk.now += 1
    assert desk.names() == ["a", "b"]
    desk.answer(IN_STEP, IN_STEP)
    desk.end()
    assert desk.names() == ["c"]
    desk.answer(IN_STEP)
    desk.end()
    assert desk.names() == ["d"]


def test_what_a_job_did_not_come_to_is_given_out_again(desk: DispatchDesk) -> None:
    """A batch ends after a heavy task; nobody is at fault."""
    for name in "abc":
        desk.add(name)
    assert desk.names() == ["a", "b", "c"]
    desk.answer(REBUILT)
    desk.end()
    assert desk.names() == ["b", "c"]
    assert desk.reported() == ["rebuilt"]


def test_a_crash_is_blamed_on_the_task_at_hand(desk: DispatchDesk) -> None:
    """Answered ones keep their verdict, later ones are given out again."""
    for name in "abc":
        desk.add(name)
    desk.names()
    desk.answer(IN_STEP)
    desk.end(Ended("crashed", "its worker was ended by SIGSEGV"))
    assert desk.reported() == ["unchanged", "failed"]
    assert desk.names() == ["c"]


def test_a_job_without_any_answer_is_a_failure(desk: DispatchDesk) -> None:
    """Or it would be given out for ever."""
    desk.add("a")
    desk.names()
    desk.end()
    assert desk.reported() == ["failed"]
    assert desk.names() == []


def test_a_killed_worker_is_tried_again_and_again(desk: DispatchDesk) -> None:
    """Slower and slower, for as long as somebody kills it: the document is not at fault."""
    desk.add("a")
    for wait_ms in (*SLOW_MS, SLOW_MS[-1], SLOW_MS[-1]):
        assert desk.names() == ["a"]
        desk.end(None)
        assert desk.names() == []
        desk.now += wait_ms / 1000
    assert desk.reported() == ["failed"]
    assert desk.names() == ["a"]


def test_a_torn_document_is_told_after_the_last_try(desk: DispatchDesk) -> None:
    """Not before; a file that stands still is read at first, and again once it is rested."""
    torn = Failed("torn", "m", "retry", V1)
    desk.add("a")
    read: list[bool] = []
    for wait_ms in (*RETRY_MS, 0):
        assert desk.reported() == []
        read.append(desk.names() == ["a"])
        if read[-1]:
            desk.answer(torn)
            desk.end()
        desk.now += wait_ms / 1000
    assert read == [True, *[False] * (RESTED_TRIES - 1), True, False, False]
    assert desk.reported() == ["failed"]
    assert desk.names() == []


def test_a_torn_document_that_changes_is_read_again(desk: DispatchDesk) -> None:
    """A host that is still writing is followed at the documented times."""
    path = desk.add("a")
    for number, wait_ms in enumerate(RETRY_MS):
        assert desk.names() == ["a"]
        desk.answer(Failed("torn", "m", "retry", V1._replace(inode=number)))
        desk.end()
        Path(path).write_bytes(b"x" * (number + 50))
        desk.now += wait_ms / 1000
    assert desk.names() == ["a"]


def test_a_failure_is_told_once_for_each_version(desk: DispatchDesk) -> None:
    """The same file again is nothing new; another file, another code or a success in between is."""
    bad = Failed("v2", "m", "once", V1)
    desk.sync("a", bad)
    desk.sync("a", bad)
    assert desk.reported() == ["failed"]
    desk.sync("a", Failed("v2", "m", "once", V2))
    desk.sync("a", Failed("foreign", "m", "once", V2))
    desk.sync("a", IN_STEP)
    desk.sync("a", bad)
    assert desk.reported() == ["failed", "failed", "unchanged", "failed"]


def test_a_collapse_is_told_before_its_rebuild(desk: DispatchDesk) -> None:
    """With the rows and the place of the copy."""
    desk.sync("a", msgspec.structs.replace(REBUILT, collapse=Collapse(9, "/kept")))
    assert desk.reported() == ["collapsed", "rebuilt"]


def test_a_document_that_is_gone_is_told_and_forgotten(desk: DispatchDesk) -> None:
    """Whether we notice it or the worker does."""
    Path(desk.add("a")).unlink()
    assert desk.names() == []
    path = desk.add("b")
    desk.names()
    Path(path).unlink()
    desk.answer(Failed("gone", "m", "gone"))
    desk.end()
    assert desk.reported() == ["gone", "gone"]
    assert path not in desk.documents


def test_a_document_that_came_back_at_once_is_not_gone(desk: DispatchDesk) -> None:
    """A worker that looked between delete and rename is not believed."""
    desk.sync("a", Failed("gone", "m", "gone"))
    assert desk.reported() == []
    desk.now += 0.02
    assert desk.names() == ["a"]


def test_the_first_pass_keeps_quiet_about_what_is_in_step(desk: DispatchDesk) -> None:
    """And tells everything else."""
    desk.dispatcher.is_first_pass = True
    desk.sync("a", IN_STEP)
    desk.sync("b", REBUILT)
    desk.sync("c", Failed("v2", "m", "once", V1))
    assert desk.reported() == ["rebuilt", "failed"]


def test_equal_content_is_remembered_for_one_mirror(
    desk: DispatchDesk,
) -> None:
    """Another process may have put another mirror there: then the document is decoded again."""
    path = desk.add("a")
    mirror = Path(path).with_name("tables.sqlite")
    mirror.write_bytes(b"one")
    desk.sync("a", Unchanged("content", "d7"))
    desk.add("a")
    assert [task.arguments["known"] for task in desk.tasks()] == ["d7"]
    desk.answer(IN_STEP)
    desk.end()
    desk.sync("a", Unchanged("content", "d7"))
    mirror.unlink()
    mirror.write_bytes(b"other")
    desk.add("a")
    assert [task.arguments["known"] for task in desk.tasks()] == [None]


def test_force_holds_until_a_rebuild(desk: DispatchDesk) -> None:
    """Retries force too, and a wish that comes during a sync is for the next one."""
    path = desk.add("a")
    desk.documents[path].force = True
    assert [task.arguments["force"] for task in desk.tasks()] == [True]
    desk.documents[path].force = True
    desk.answer(Failed("torn", "m", "retry", V1))
    desk.end()
    Path(path).write_bytes(b"more of it")
    desk.now += 1
    assert [task.arguments["force"] for task in desk.tasks()] == [True]
    desk.answer(REBUILT)
    desk.end()
    desk.add("a")
    assert [task.arguments["force"] for task in desk.tasks()] == [False]


def test_a_request_waits_for_a_sync_that_began_after_it(desk: DispatchDesk) -> None:
    """What was under way when the host asked has not seen what the host wrote."""
    ended: list[SyncRequest] = []

    def finish(request: SyncRequest) -> Event:
        ended.append(request)
        return Synced(rebuilt=request.rebuilt, unchanged=request.unchanged, failed=request.failed)

    path = desk.add("a")
    desk.names()
    assert desk.syncs.add([path], finish).waiting
    desk.documents.ask(path, desk.now)
    desk.answer(IN_STEP)
    desk.end()
    assert ended == []
    desk.names()
    desk.answer(REBUILT)
    desk.end()
    assert [(request.rebuilt, request.unchanged) for request in ended] == [(1, 0)]


def test_a_request_for_nothing_ends_at_once(desk: DispatchDesk) -> None:
    """No documents, no waiting."""
    request = desk.syncs.add([], lambda _: Synced(rebuilt=0, unchanged=0, failed=0))
    assert not request.waiting


def test_a_status_goes_before_and_survives_a_crash(desk: DispatchDesk) -> None:
    """A document that its reader does not survive is unreadable, with the code."""
    path = desk.add("a")
    source = desk.documents[path].source
    assert desk.statuses.add(7, [source]) is None
    assert [task.function for task in desk.tasks()] == ["status"]
    desk.end(Ended("timeout", "it took too long"))
    (report,) = desk.events
    assert isinstance(report, StatusReport)
    (status,) = report.documents
    assert (status.state, status.code) == ("unreadable", "timeout")
    assert desk.names() == ["a"]


def test_two_status_questions_are_answered_in_order(desk: DispatchDesk) -> None:
    """Each by its own look."""
    source = desk.documents[desk.add("a")].source
    desk.statuses.add(1, [source])
    desk.statuses.add(2, [source])
    for id_ in (1, 2):
        desk.tasks()
        desk.end(Ended("crashed", "m"))
        assert getattr(desk.events[-1], "id", None) == id_
    assert desk.reported() == ["status", "status"]
