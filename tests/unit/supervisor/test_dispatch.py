"""The flow of documents through the workers, with a controlled fake worker."""

import os
from pathlib import Path

import msgspec
import pytest

from sidecar.digests import digest_bytes
from sidecar.files import FileVersion, version_of
from sidecar.host.outcomes import unreadable
from sidecar.host.protocol import Event, StatusReport, Synced
from sidecar.model import Changes, Collapse, Failed, Rebuilt, Unchanged
from sidecar.supervisor.dispatch import HELD_S, LIGHT_BYTES, SLOW_S
from sidecar.supervisor.requests import STATUS_WAIT_S, SyncRequest
from sidecar.supervisor.schedule import (
    LATER_MS,
    RESTED_TRIES,
    RETRY_MS,
    SLOW_MS,
    Timing,
)
from sidecar.workers.messages import Answer, Ended, StatusAnswer
from tests.support.workers import DispatchDesk, Still

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
    """It was changed after the last event; half a second later it is synced."""
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
    """Most are in step; a large one would delay the others."""
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
    """A batch ends after a heavy task; that is no failure."""
    for name in "abc":
        desk.add(name)
    assert desk.names() == ["a", "b", "c"]
    desk.answer(REBUILT)
    desk.end()
    assert desk.names() == ["b", "c"]
    assert desk.reported() == ["rebuilt"]


def test_a_crash_is_blamed_on_the_task_at_hand(desk: DispatchDesk) -> None:
    """Finished ones keep their outcome, later ones are dispatched again."""
    for name in "abc":
        desk.add(name)
    desk.names()
    desk.answer(IN_STEP)
    desk.end(Ended("crashed", "its worker was ended by SIGSEGV"))
    assert desk.reported() == ["unchanged", "failed"]
    assert desk.names() == ["c"]


def test_a_job_without_any_answer_is_a_failure(desk: DispatchDesk) -> None:
    """Otherwise it would be dispatched for ever."""
    desk.add("a")
    desk.names()
    desk.end()
    assert desk.reported() == ["failed"]
    assert desk.names() == []


def test_a_killed_worker_is_tried_again_and_again(desk: DispatchDesk) -> None:
    """With longer waits, as often as it is killed: the document is not the cause."""
    desk.add("a")
    for wait_ms in (*SLOW_MS, SLOW_MS[-1], SLOW_MS[-1]):
        assert desk.names() == ["a"]
        desk.end(None)
        assert desk.names() == []
        desk.now += wait_ms / 1000
    assert desk.reported() == ["failed"]
    assert desk.names() == ["a"]


def test_a_torn_document_is_told_after_the_last_try(desk: DispatchDesk) -> None:
    """Not before; a file that does not change is read at first, and again after it has rested."""
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
    """While a host is writing, the file is read at the documented times."""
    path = desk.add("a")
    for number, wait_ms in enumerate(RETRY_MS):
        assert desk.names() == ["a"]
        desk.answer(Failed("torn", "m", "retry", V1._replace(inode=number)))
        desk.end()
        Path(path).write_bytes(b"x" * (number + 50))
        desk.now += wait_ms / 1000
    assert desk.names() == ["a"]


def test_a_failure_is_told_once_for_each_version(desk: DispatchDesk) -> None:
    """The same file is not reported again, except with another code or after a success."""
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
    """With the rows and the path of the copy."""
    desk.sync("a", msgspec.structs.replace(REBUILT, collapse=Collapse(9, "/kept")))
    assert desk.reported() == ["collapsed", "rebuilt"]


def test_a_document_that_is_gone_is_told_and_forgotten(desk: DispatchDesk) -> None:
    """Noticed by the watcher or the worker, when it has been missing for a second."""
    Path(desk.add("a")).unlink()
    assert desk.names() == []
    path = desk.add("b")
    desk.names()
    Path(path).unlink()
    desk.answer(Failed("gone", "m", "gone"))
    desk.end()
    desk.now += 0.9
    assert desk.names() == []
    assert desk.reported() == []
    desk.now += 0.2
    assert desk.names() == []
    assert desk.reported() == ["gone"]
    desk.now += 1
    assert desk.names() == []
    assert desk.reported() == ["gone"]
    assert path not in desk.documents


def test_an_app_that_saves_by_delete_and_create_is_never_gone(desk: DispatchDesk) -> None:
    """Whenever it is found again, it is synced."""
    path = Path(desk.add("a"))
    for _ in range(20):
        path.unlink()
        desk.documents.ask(str(path), desk.now)
        assert desk.names() == []
        desk.now += 0.8
        path.write_bytes(b"again")
        desk.now += 0.8
        assert desk.names() == ["a"]
        desk.answer(IN_STEP)
        desk.end()
    assert set(desk.reported()) == {"unchanged"}


def test_a_document_out_of_reach_is_not_gone(
    desk: DispatchDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder without permission, a failing disk: the worker reports it, and it is tried again."""
    path = desk.add("a")

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr("os.stat", refuse)
        assert desk.names() == ["a"]
        for wait_ms in RETRY_MS:
            desk.answer(Failed("denied", "m", "retry"))
            desk.end()
            assert desk.reported() == []
            desk.now += wait_ms / 1000
            assert desk.names() == ["a"]
        for wait_ms in SLOW_MS[:3]:
            desk.answer(Failed("denied", "m", "retry"))
            desk.end()
            assert desk.names() == []
            desk.now += wait_ms / 1000
            assert desk.names() == ["a"]
    assert desk.reported() == ["failed"]
    desk.answer(REBUILT)
    assert desk.reported() == ["rebuilt"]
    assert path in desk.documents


def test_a_document_that_came_back_at_once_is_not_gone(desk: DispatchDesk) -> None:
    """The result of a worker that read between delete and rename is not used."""
    desk.sync("a", Failed("gone", "m", "gone"))
    assert desk.reported() == []
    desk.now += 0.02
    assert desk.names() == ["a"]


def test_the_first_pass_keeps_quiet_about_what_is_in_step(desk: DispatchDesk) -> None:
    """It reports everything else."""
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
    in_step = Unchanged("content", "d7", version_of(str(mirror)))
    desk.sync("a", in_step)
    desk.add("a")
    assert [task.memory and task.memory.known for task in desk.tasks()] == ["d7"]
    desk.answer(IN_STEP)
    desk.end()
    desk.sync("a", in_step)
    mirror.unlink()
    mirror.write_bytes(b"other")
    desk.add("a")
    assert [task.memory and task.memory.known for task in desk.tasks()] == [None]


def test_force_holds_until_a_rebuild(desk: DispatchDesk) -> None:
    """Retries force too, and a request during a sync is for the next one."""
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
    """A sync that was running at the time of the command may have read older bytes."""
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
    """Without documents there is nothing to wait for."""
    request = desk.syncs.add([], lambda _: Synced(rebuilt=0, unchanged=0, failed=0))
    assert not request.waiting


def ask_status(desk: DispatchDesk, id_: int, path: str) -> None:
    """Send a status command about one document."""
    assert desk.statuses.add(id_, [desk.documents[path].source], desk.now) is None


def report(desk: DispatchDesk, path: str) -> None:
    """Let the worker reply to its status command."""
    desk.answer(StatusAnswer(unreadable(desk.documents[path].source, "torn", None, None)))
    desk.end()


def functions(desk: DispatchDesk) -> list[str]:
    """Dispatch what is due, and return the worker's tasks."""
    return [task.function for task in desk.tasks()]


def test_a_status_that_has_waited_goes_before_one_sync(desk: DispatchDesk) -> None:
    """Syncs go first for a second; then one status, then a sync again."""
    path = desk.add("a")
    ask_status(desk, 7, path)
    assert functions(desk) == ["sync"]
    desk.documents.ask(path, desk.now)
    desk.answer(IN_STEP)
    desk.end()
    ask_status(desk, 8, path)  # shares the answer of the first
    desk.now += STATUS_WAIT_S
    assert functions(desk) == ["status"]
    ask_status(desk, 9, path)
    desk.now += STATUS_WAIT_S
    report(desk, path)
    assert [getattr(event, "id", None) for event in desk.events[-2:]] == [7, 8]
    assert functions(desk) == ["sync"]
    desk.answer(IN_STEP)
    desk.end()
    assert functions(desk) == ["status"]


def test_a_status_goes_before_what_became_due_after_it(desk: DispatchDesk) -> None:
    """Requests are processed in order: a status shows a sync that was requested before it."""
    path = desk.add("a")
    desk.documents.wait(path, desk.now + 0.01)
    ask_status(desk, 1, path)
    desk.now += 0.02
    assert functions(desk) == ["status"]
    report(desk, path)
    ask_status(desk, 2, path)
    assert functions(desk) == ["sync"]


def test_a_status_each_second_lets_a_stale_document_be_synced(desk: DispatchDesk) -> None:
    """Even if each takes longer than a second."""
    path = desk.add("a")
    done: list[str] = []
    for second in range(20):
        ask_status(desk, second, path)
        desk.documents.ask(path, desk.now)
        (function,) = functions(desk)
        done.append(function)
        desk.now += 1.5
        if function == "sync":
            desk.answer(IN_STEP)
            desk.end()
        else:
            report(desk, path)
    assert done.count("sync") >= 9
    assert done.count("status") >= 9


def test_a_status_knows_what_a_sync_will_find(desk: DispatchDesk) -> None:
    """A document that waits for its sync is not decoded, nor are bytes that failed."""
    path = desk.add("a")
    desk.documents.wait(path, desk.now + 5)
    ask_status(desk, 1, path)
    (task,) = desk.tasks()
    assert task.memory
    assert (task.memory.pending, task.memory.failed) == (True, None)
    report(desk, path)
    desk.now += 5
    desk.tasks()
    desk.end(Ended("crashed", "its worker was ended by SIGSEGV"))
    ask_status(desk, 2, path)
    (task,) = desk.tasks()
    assert task.memory
    assert task.memory.failed == "crashed"


def test_a_status_survives_a_crash(desk: DispatchDesk) -> None:
    """A document at which its reader crashes is unreadable, with the code."""
    path = desk.add("a")
    desk.documents.wait(path, desk.now + 5)
    ask_status(desk, 7, path)
    assert functions(desk) == ["status"]
    desk.end(Ended("timeout", "it took too long"))
    (report_,) = desk.events
    assert isinstance(report_, StatusReport)
    (status,) = report_.documents
    assert (status.state, status.code) == ("unreadable", "timeout")


def test_bytes_at_which_a_worker_ended_are_tried_far_later(
    desk: DispatchDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a minute, ten, an hour; after an event, only new bytes are tried."""
    monkeypatch.setattr("sidecar.supervisor.dispatch.rested_s", lambda _: 9.0)
    path = Path(desk.add("a"))
    path.write_bytes(b"deadly")
    for wait_ms in (*LATER_MS, LATER_MS[-1]):
        assert desk.names() == ["a"]
        desk.end(Ended("crashed", "its worker was ended by SIGSEGV"))
        assert desk.documents[str(path)].due.when(Timing()) == desk.now + wait_ms / 1000
        desk.documents.touch(str(path), desk.now)  # the same file
        desk.now += 30
        assert desk.names() == []
        path.write_bytes(b"deadly")  # written again, with equal bytes
        os.utime(path, ns=(1, int(desk.now)))
        desk.documents.touch(str(path), desk.now - 1)
        (task,) = desk.tasks()
        assert task.memory
        assert task.memory.refused == digest_bytes(b"deadly")
        desk.answer(Failed("crashed", "the same", "same"))
        desk.end()
        assert desk.names() == []
        desk.now += wait_ms / 1000 - 30
        assert desk.reported() == ["failed"], "with the time of the next try"
    path.write_bytes(b"other")
    desk.documents.touch(str(path), desk.now - 1)
    (task,) = desk.tasks()
    desk.end(Ended("memory", "more than it may"))
    assert desk.reported() == ["failed"]
    assert desk.documents[str(path)].due.when(Timing()) == desk.now + LATER_MS[0] / 1000


def test_whoever_asks_gets_another_try(desk: DispatchDesk) -> None:
    """A command of the host causes a try, whatever failed before."""
    path = desk.add("a")
    desk.tasks()
    desk.end(Ended("crashed", "its worker was ended by SIGSEGV"))
    desk.syncs.add([path], lambda _: Synced(rebuilt=0, unchanged=0, failed=1))
    desk.documents.ask(path, desk.now)
    (task,) = desk.tasks()
    assert task.memory
    assert task.memory.refused is None


def test_slow_documents_go_behind_the_others_and_one_at_a_time(desk: DispatchDesk) -> None:
    """Two of them would use all workers, and another edit would wait for both."""
    for name in "ab":
        desk.add(name)
    assert desk.names() == ["a", "b"]
    for _ in "ab":
        desk.now += SLOW_S
        desk.answer(REBUILT)
    desk.end()
    for name in "abc":
        desk.add(name)
    assert desk.names() == ["c"]
    desk.answer(REBUILT)
    desk.end()
    assert desk.names() == ["a"]
    first, desk.workers.worker = desk.workers.worker, Still()
    assert desk.names() == [], "the other slow one waits for the first"
    desk.add("d")
    assert desk.names() == ["d"]
    desk.answer(REBUILT)
    desk.end()
    second, desk.workers.worker = desk.workers.worker, first
    desk.answer(REBUILT)
    desk.end()
    assert second.batch is None
    assert desk.names() == ["b"]


def test_what_waits_behind_a_hanging_document_is_given_to_another(desk: DispatchDesk) -> None:
    """It was in the same batch; a later result of the first worker is not counted."""
    for name in "abc":
        desk.add(name)
    assert desk.names() == ["a", "b", "c"]
    desk.now += SLOW_S
    assert desk.names() == ["a"]
    hanging, desk.workers.worker = desk.workers.worker, Still()
    assert desk.names() == ["b", "c"]
    desk.answer(REBUILT, REBUILT)
    desk.end()
    desk.workers.worker = hanging
    desk.answer(REBUILT, IN_STEP, IN_STEP)
    desk.end()
    assert desk.reported() == ["rebuilt"] * 3


def test_a_slow_document_does_not_wait_for_ever(desk: DispatchDesk) -> None:
    """After some time it goes before documents that are edited all the time."""
    desk.add("slow")
    desk.names()
    desk.now += SLOW_S
    desk.answer(REBUILT)
    desk.end()
    desk.add("slow")
    for _ in range(20):
        desk.add("quick")
        if desk.names() == ["slow"]:
            break
        desk.now += 0.5
        desk.answer(REBUILT)
        desk.end()
    assert desk.names() == ["slow"]


def test_a_mirror_of_another_process_is_told_of_and_its_note_is_logged(
    desk: DispatchDesk, caplog: pytest.LogCaptureFixture
) -> None:
    """`rebuilt`, so that readers reopen it; the next sync accepts it."""
    path = desk.add("a")
    mirror = Path(path).with_name("tables.sqlite")
    mirror.write_bytes(b"ours")
    ours = version_of(str(mirror))
    desk.names()
    mirror.unlink()
    mirror.write_bytes(b"theirs")  # before the result was handled
    desk.answer(msgspec.structs.replace(REBUILT, mirror=ours))
    desk.end()
    assert desk.documents.is_replaced(path, version_of(str(mirror)))
    desk.add("a")
    (task,) = desk.tasks()
    assert task.memory
    assert (task.memory.left, task.memory.insisted) == (ours, "d2")
    desk.answer(
        msgspec.structs.replace(
            REBUILT, reason="elsewhere", note="left as it is", mirror=version_of(str(mirror))
        )
    )
    desk.end()
    assert not desk.documents.is_replaced(path, version_of(str(mirror)))
    assert desk.reported() == ["rebuilt", "rebuilt"]
    assert "left as it is" in caplog.text


def test_an_edit_of_a_kept_document_waits_for_no_other_worker(desk: DispatchDesk) -> None:
    """All workers are busy with slow documents, except the one that keeps it."""
    busy, kept, other = desk.add("busy"), desk.add("kept"), desk.add("other")
    for document in (busy, kept, other):
        desk.documents[document].took_s = 2 * SLOW_S
    keeper = desk.workers.keep(kept)
    assert desk.names() == ["busy"]
    assert [task.source.document for task in keeper.waiting_tasks] == [kept]
    desk.dispatcher.hear(keeper, Answer(REBUILT, 0.1), desk.now)
    desk.dispatcher.hear(keeper, Ended(holds=kept, holds_mb=5), desk.now)
    assert desk.reported() == ["rebuilt"]
    desk.documents[kept].due.at = desk.now + 1
    assert desk.dispatcher.next_step() == desk.now + 1
    desk.now += 1
    desk.tasks()
    assert [task.source.document for task in keeper.waiting_tasks] == [kept]
    assert [task.source.document for task in desk.workers.worker.waiting_tasks] == [busy]


@pytest.mark.parametrize("is_kept_before", [False, True])
def test_an_edit_before_the_end_of_its_batch_goes_to_who_keeps_it(
    desk: DispatchDesk, *, is_kept_before: bool
) -> None:
    """It came between the answer and the end, and another worker is free."""
    kept = desk.add("kept")
    worker = desk.workers.keep(kept) if is_kept_before else desk.workers.worker
    assert desk.names() == ([] if is_kept_before else ["kept"])
    desk.dispatcher.hear(worker, Answer(REBUILT, 0.1), desk.now)
    desk.workers.worker = Still()
    desk.add("kept")
    assert desk.names() == []
    desk.dispatcher.hear(worker, Ended(holds=kept, holds_mb=5), desk.now)
    desk.workers.keepers = [worker]
    assert desk.names() == []
    assert [task.source.document for task in worker.waiting_tasks] == [kept]


def test_an_edit_does_not_wait_for_a_batch_that_does_not_end(desk: DispatchDesk) -> None:
    """Its worker has answered, and hangs: another one may have the document some time later."""
    desk.add("a")
    assert desk.names() == ["a"]
    desk.answer(REBUILT)
    hanging, desk.workers.worker = desk.workers.worker, Still()
    desk.add("a")
    assert desk.names() == []
    assert desk.dispatcher.next_step() == desk.now + HELD_S
    desk.now += HELD_S
    assert desk.names() == ["a"]
    desk.dispatcher.hear(hanging, Ended(), desk.now)
    desk.answer(REBUILT)
    desk.end()
    assert desk.reported() == ["rebuilt"] * 2


def test_what_keeps_a_document_ends_when_that_is_gone(desk: DispatchDesk) -> None:
    """At once, not after its time; also if it was working when the document was removed."""
    for is_at_work in (False, True):
        kept = desk.add("kept")
        keeper = desk.workers.keep(kept)
        if is_at_work:
            desk.tasks()
            assert keeper.batch
        Path(kept).unlink()
        if is_at_work:
            desk.dispatcher.hear(keeper, Answer(Failed("gone", "m", "gone"), 0.0), desk.now)
            desk.dispatcher.hear(keeper, Ended(holds=kept, holds_mb=5), desk.now)
        for _ in range(3):
            desk.now += 1
            desk.tasks()
        assert desk.reported() == ["gone"]
        assert desk.workers.resting() == []


def test_status_says_which_documents_are_kept(desk: DispatchDesk) -> None:
    """Those that a worker keeps, idle or not."""
    documents = [desk.add(name) for name in ("cold", "warm")]
    desk.workers.keep(documents[1])
    sources = [desk.documents[document].source for document in documents]
    for document in documents:
        desk.documents[document].due.at = None
    desk.statuses.add("s", sources, desk.now)
    assert [task.function for task in desk.tasks()] == ["status", "status"]
    desk.answer(*(StatusAnswer(unreadable(source, "torn", None, None)) for source in sources))
    (report,) = desk.events
    assert isinstance(report, StatusReport)
    assert [status.warm for status in report.documents] == [False, True]
