"""The flow of documents through the hands that sync them, with hands that do as they are told."""

from pathlib import Path

import msgspec
import pytest

from sidecar.host.protocol import Event, StatusReport, Synced
from sidecar.model import Changes, Collapse, Failed, Rebuilt, Unchanged
from sidecar.supervisor.dispatch import LIGHT_BYTES
from sidecar.supervisor.documents import Request
from sidecar.supervisor.schedule import RETRY_MS, SETTLED_TRIES
from sidecar.workers.messages import Ended
from tests.support.workers import WorkDesk

IN_STEP = Unchanged("bytes", "d1")
REBUILT = Rebuilt("changed", Changes(("t",), ()), 1, 0, regressed=False, ms=5, digest="d2")


@pytest.fixture
def desk(tmp_path: Path) -> WorkDesk:
    """Return a desk."""
    return WorkDesk(tmp_path)


def test_a_document_that_is_still_being_written_waits(
    desk: WorkDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was changed after the last event that was heard; half a second later it is synced."""
    document = desk.add("w")
    desk.schedule.forget(document)
    desk.schedule.touch(document, desk.now - 0.5)
    monkeypatch.setattr("sidecar.supervisor.dispatch.quiet_s", lambda _: 0.1)
    assert desk.names() == []
    assert desk.work.next_step() == pytest.approx(desk.now + 0.4)
    desk.now += 0.4
    monkeypatch.setattr("sidecar.supervisor.dispatch.quiet_s", lambda _: 0.5)
    assert desk.names() == ["w"]


def test_small_documents_share_a_job_and_large_ones_do_not(desk: WorkDesk) -> None:
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


def test_what_a_job_did_not_come_to_is_given_out_again(desk: WorkDesk) -> None:
    """A job ends after a heavy task; nobody is at fault."""
    for name in "abc":
        desk.add(name)
    assert desk.names() == ["a", "b", "c"]
    desk.answer(REBUILT)
    desk.end()
    assert desk.names() == ["b", "c"]
    assert desk.told() == ["rebuilt"]


def test_a_crash_is_blamed_on_the_task_at_hand(desk: WorkDesk) -> None:
    """Answered ones keep their verdict, later ones are given out again."""
    for name in "abc":
        desk.add(name)
    desk.names()
    desk.answer(IN_STEP)
    desk.end(Ended("crashed", "its worker was ended by SIGSEGV"))
    assert desk.told() == ["unchanged", "failed"]
    assert desk.names() == ["c"]


def test_a_job_without_any_answer_is_a_failure(desk: WorkDesk) -> None:
    """Or it would be given out for ever."""
    desk.add("a")
    desk.names()
    desk.end()
    assert desk.told() == ["failed"]
    assert desk.names() == []


def test_a_killed_worker_is_tried_once_more(desk: WorkDesk) -> None:
    """After a second; when that dies too, the document is left alone until it changes."""
    desk.add("a")
    desk.names()
    desk.end(None)
    (failed,) = desk.events
    assert getattr(failed, "retry_ms", None) == 1000
    assert desk.names() == []
    desk.now += 1
    assert desk.names() == ["a"]
    desk.end(None)
    desk.now += 100
    assert desk.names() == []


def test_a_torn_document_is_told_after_the_last_try(desk: WorkDesk) -> None:
    """Not before; a file that stands still is read at first, and again once it is settled."""
    torn = Failed("torn", "m", "retry", "v1")
    desk.add("a")
    read: list[bool] = []
    for wait_ms in (*RETRY_MS, 0):
        assert desk.told() == []
        read.append(desk.names() == ["a"])
        if read[-1]:
            desk.answer(torn)
            desk.end()
        desk.now += wait_ms / 1000
    assert read == [True, *[False] * (SETTLED_TRIES - 1), True, False, False]
    assert desk.told() == ["failed"]
    assert desk.names() == []


def test_a_torn_document_that_changes_is_read_again(desk: WorkDesk) -> None:
    """A host that is still writing is followed at the documented times."""
    path = desk.add("a")
    for number, wait_ms in enumerate(RETRY_MS):
        assert desk.names() == ["a"]
        desk.answer(Failed("torn", "m", "retry", f"v{number}"))
        desk.end()
        Path(path).write_bytes(b"x" * (number + 50))
        desk.now += wait_ms / 1000
    assert desk.names() == ["a"]


def test_a_failure_is_told_once_for_each_version(desk: WorkDesk) -> None:
    """The same file again is no news; another file, another code or a success in between is."""
    bad = Failed("v2", "m", "once", "v1")
    desk.sync("a", bad)
    desk.sync("a", bad)
    assert desk.told() == ["failed"]
    desk.sync("a", Failed("v2", "m", "once", "v2"))
    desk.sync("a", Failed("foreign", "m", "once", "v2"))
    desk.sync("a", IN_STEP)
    desk.sync("a", bad)
    assert desk.told() == ["failed", "failed", "unchanged", "failed"]


def test_a_collapse_is_told_before_its_rebuild(desk: WorkDesk) -> None:
    """With the rows and the place of the copy."""
    desk.sync("a", msgspec.structs.replace(REBUILT, collapse=Collapse(9, "/kept")))
    assert desk.told() == ["collapsed", "rebuilt"]


def test_a_document_that_is_gone_is_told_and_forgotten(desk: WorkDesk) -> None:
    """Whether we notice it or the worker does."""
    Path(desk.add("a")).unlink()
    assert desk.names() == []
    path = desk.add("b")
    desk.names()
    Path(path).unlink()
    desk.answer(Failed("gone", "m", "gone"))
    desk.end()
    assert desk.told() == ["gone", "gone"]
    assert path not in desk.documents


def test_a_document_that_came_back_at_once_is_not_gone(desk: WorkDesk) -> None:
    """A worker that looked between delete and rename is not believed."""
    desk.sync("a", Failed("gone", "m", "gone"))
    assert desk.told() == []
    desk.now += 0.02
    assert desk.names() == ["a"]


def test_the_first_pass_keeps_quiet_about_what_is_in_step(desk: WorkDesk) -> None:
    """And tells everything else."""
    desk.work.is_first_pass = True
    desk.sync("a", IN_STEP)
    desk.sync("b", REBUILT)
    desk.sync("c", Failed("v2", "m", "once", "v1"))
    assert desk.told() == ["rebuilt", "failed"]


def test_equal_content_is_remembered_for_the_mirror_it_was_compared_with(desk: WorkDesk) -> None:
    """Another process may have put another mirror there: then the document is decoded again."""
    path = desk.add("a")
    mirror = Path(path).with_name("tables.sqlite")
    mirror.write_bytes(b"one")
    desk.sync("a", Unchanged("content", "d7"))
    desk.add("a")
    assert [task.known for task in desk.tasks()] == ["d7"]
    desk.answer(IN_STEP)
    desk.end()
    desk.sync("a", Unchanged("content", "d7"))
    mirror.unlink()
    mirror.write_bytes(b"other")
    desk.add("a")
    assert [task.known for task in desk.tasks()] == [None]


def test_force_holds_until_a_rebuild(desk: WorkDesk) -> None:
    """Retries force too, and a wish that comes during a sync is for the next one."""
    path = desk.add("a")
    desk.documents[path].force = True
    assert [task.force for task in desk.tasks()] == [True]
    desk.documents[path].force = True
    desk.answer(Failed("torn", "m", "retry", "v1"))
    desk.end()
    Path(path).write_bytes(b"more of it")
    desk.now += 1
    assert [task.force for task in desk.tasks()] == [True]
    desk.answer(REBUILT)
    desk.end()
    desk.add("a")
    assert [task.force for task in desk.tasks()] == [False]


def test_a_request_waits_for_a_sync_that_began_after_it(desk: WorkDesk) -> None:
    """What was under way when the host asked has not seen what the host wrote."""
    ended: list[Request] = []

    def finish(request: Request) -> Event:
        ended.append(request)
        return Synced(rebuilt=request.rebuilt, unchanged=request.unchanged, failed=request.failed)

    path = desk.add("a")
    desk.names()
    assert desk.documents.request([path], finish) is None
    desk.schedule.ask(path, desk.now)
    desk.answer(IN_STEP)
    desk.end()
    assert ended == []
    desk.names()
    desk.answer(REBUILT)
    desk.end()
    assert [(request.rebuilt, request.unchanged) for request in ended] == [(1, 0)]


def test_a_request_for_nothing_ends_at_once(desk: WorkDesk) -> None:
    """No documents, no waiting."""
    event = desk.documents.request([], lambda _: Synced(rebuilt=0, unchanged=0, failed=0))
    assert isinstance(event, Synced)


def test_a_status_goes_before_and_survives_a_crash(desk: WorkDesk) -> None:
    """A document that its reader does not survive is unreadable, with the code."""
    path = desk.add("a")
    source = desk.documents[path].source
    assert desk.statuses.ask(7, [source]) is None
    assert [task.function for task in desk.tasks()] == ["status"]
    desk.end(Ended("timeout", "it took too long"))
    (report,) = desk.events
    assert isinstance(report, StatusReport)
    (status,) = report.documents
    assert (status.state, status.code) == ("unreadable", "timeout")
    assert desk.names() == ["a"]


def test_two_status_questions_are_answered_in_order(desk: WorkDesk) -> None:
    """Each by its own look."""
    source = desk.documents[desk.add("a")].source
    desk.statuses.ask(1, [source])
    desk.statuses.ask(2, [source])
    for id_ in (1, 2):
        desk.tasks()
        desk.end(Ended("crashed", "m"))
        assert getattr(desk.events[-1], "id", None) == id_
    assert desk.told() == ["status", "status"]
