"""The queue: when a document is synced next, tested without a clock."""

import pytest

from sidecar.model import Source
from sidecar.supervisor.documents import DocumentQueue
from sidecar.supervisor.schedule import (
    BURST_S,
    RESTED_TRIES,
    RETRY_MS,
    SLOW_MS,
    Burst,
    Timing,
    rest_s,
)

TIMING = Timing(debounce_s=0.5, max_wait_s=5.0, max_load=0.25)


@pytest.fixture
def queue() -> DocumentQueue:
    """Return a queue of some documents."""
    queue = DocumentQueue(TIMING)
    for name in ("a", "noisy", "quiet", *(f"d{number}" for number in range(10))):
        queue.add(Source(name, "", None, None))
    return queue


def run(queue: DocumentQueue, document: str, now: float, cost_s: float = 0.0) -> None:
    """Sync a document at once, from ``now`` on."""
    queue.begin(document)
    queue.end(document, now + cost_s, cost_s, "done")


def test_nothing_is_due_at_rest(queue: DocumentQueue) -> None:
    """An idle program has no reason to wake up."""
    assert queue.next_due() is None
    queue.touch("a", 0.0)
    run(queue, "a", 1.0)
    assert queue.next_due() is None


def test_the_debounce_begins_with_the_last_event(queue: DocumentQueue) -> None:
    """Each event delays the sync by the debounce."""
    queue.touch("a", 10.0)
    queue.touch("a", 10.3)
    assert queue.next_due() == 10.8
    assert queue.take_due(10.7, 9) == []
    assert queue.take_due(10.8, 9) == ["a"]


def test_a_change_that_was_not_heard_yet_puts_off(queue: DocumentQueue) -> None:
    """Events come late: a due document is checked once more, and its debounce starts again."""
    queue.touch("a", 10.0)
    assert queue.put_off("a", 10.5, 0.2)
    assert queue.next_due() == pytest.approx(10.8)
    assert not queue.put_off("a", 10.8, 0.5)
    assert queue.take_due(10.81, 9) == ["a"]


@pytest.mark.parametrize(("now", "rested_s"), [(10.5, -3600.0), (10.5, 3600.0), (15.0, 0.1)])
def test_nothing_is_put_off_by_a_clock_that_jumped_or_for_ever(
    queue: DocumentQueue, now: float, rested_s: float
) -> None:
    """A clock set back, a clock set ahead, and the longest wait."""
    queue.touch("a", 10.0)
    assert not queue.put_off("a", now, rested_s)


def test_what_was_asked_for_is_not_put_off(queue: DocumentQueue) -> None:
    """A command or a retry has no debounce."""
    queue.touch("a", 10.0)
    queue.ask("a", 10.1)
    assert not queue.put_off("a", 10.1, 0.0)


def test_a_wait_that_never_goes_quiet_ends(queue: DocumentQueue) -> None:
    """Events each 100 ms for ever are synced after the longest wait."""
    for tenth in range(100):
        queue.touch("a", tenth / 10)
    assert queue.next_due() == 5.0


def test_events_during_a_sync_lead_to_one_more(queue: DocumentQueue) -> None:
    """A document is never given out twice at a time, and no change is lost."""
    queue.touch("a", 0.0)
    queue.begin("a")
    queue.touch("a", 1.0)
    queue.touch("a", 1.1)
    assert queue.next_due() is None
    queue.end("a", 2.0, 0.0, "done")
    assert queue.take_due(2.0, 9) == ["a"]
    run(queue, "a", 2.0)
    assert queue.next_due() is None


def test_a_command_does_not_wait(queue: DocumentQueue) -> None:
    """It is due at once, without debounce and load rule."""
    queue.touch("a", 0.0)
    run(queue, "a", 0.5, cost_s=10.0)
    queue.touch("a", 11.0)
    queue.ask("a", 11.0)
    assert queue.take_due(11.0, 9) == ["a"]


@pytest.mark.parametrize("is_asked", [False, True])
def test_what_is_held_waits_until_it_is_let_go(queue: DocumentQueue, *, is_asked: bool) -> None:
    """No longer than said, however it was asked for; what nothing asks for is never due."""
    run(queue, "a", 0.0)
    queue.hold("a", 4.0)
    assert queue.next_due() is None
    if is_asked:
        queue.ask("a", 1.0)
    else:
        queue.touch("a", 0.5)
    assert queue.take_due(3.9, 9) == []
    assert queue.next_due() == queue.due_at("a") == 4.0
    queue.let_go("a")
    assert queue.next_due() == queue.due_at("a") == 1.0
    run(queue, "a", 2.0)
    queue.let_go("a")
    assert queue.next_due() is None


def test_the_oldest_due_goes_first(queue: DocumentQueue) -> None:
    """A noisy document does not starve quiet ones."""
    queue.touch("noisy", 0.0)
    queue.touch("quiet", 0.1)
    queue.touch("noisy", 0.2)
    assert queue.take_due(9.0, 9) == ["quiet", "noisy"]
    assert queue.take_due(9.0, 1) == ["quiet"]


def test_what_was_looked_at_and_not_begun_stays_due(queue: DocumentQueue) -> None:
    """A look at the due documents does not change the queue."""
    queue.ask("a", 0.0)
    assert queue.take_due(1.0, 9) == queue.take_due(1.0, 9) == ["a"]
    queue.begin("a")
    queue.give_back("a", 2.0)
    assert queue.take_due(2.0, 9) == ["a"]


def test_retries_climb_the_ladder_and_end(queue: DocumentQueue) -> None:
    """A file that stays torn is tried at the documented times, from the sixth on as rested."""
    queue.ask("a", 0.0)
    waits, rested = [], []
    for _ in range(len(RETRY_MS) + 1):
        rested.append(queue.begin("a").rested)
        waits.append(queue.end("a", 0.0, 0.0, "retry"))
    assert waits == [*RETRY_MS, None]
    assert rested == [False] * RESTED_TRIES + [True] * (len(RETRY_MS) + 1 - RESTED_TRIES)
    assert queue.next_due() is None


def test_the_ladder_begins_anew_after_its_end(queue: DocumentQueue) -> None:
    """After a later event or a success a torn file has all its tries again."""
    for _ in range(2):
        for _ in range(len(RETRY_MS) + 1):
            queue.touch("a", 0.0)
            queue.begin("a")
            queue.end("a", 0.0, 0.0, "retry")
    assert queue.begin("a").rested is False
    queue.end("a", 0.0, 0.0, "retry")
    queue.begin("a")
    queue.end("a", 0.0, 0.0, "done")
    assert queue.begin("a").rested is False


def test_slow_retries_go_on(queue: DocumentQueue) -> None:
    """A full disk is tried for ever, finally once a minute."""
    waits = []
    for _ in range(len(SLOW_MS) + 2):
        queue.ask("a", 0.0)
        queue.begin("a")
        waits.append(queue.end("a", 0.0, 0.0, "slow"))
    assert waits == [*SLOW_MS, SLOW_MS[-1], SLOW_MS[-1]]


def test_a_bad_version_waits_for_the_next_event(queue: DocumentQueue) -> None:
    """A version that cannot be decoded is not tried again by itself."""
    queue.ask("a", 0.0)
    queue.begin("a")
    assert queue.end("a", 0.0, 0.0, "once") is None
    assert queue.next_due() is None
    queue.touch("a", 1.0)
    assert queue.next_due() == 1.5


@pytest.mark.parametrize(("crowd", "gap"), [(1, 6.0), (2, 14.0)])
def test_a_rest_keeps_the_load(crowd: int, gap: float) -> None:
    """A sync of 2 s is followed by 6 s of rest at a quarter; documents at rest share it."""
    assert rest_s(2.0, crowd, 0.25) == gap


def test_full_load_needs_no_rest() -> None:
    """--max-load 1 and more is no limit for one document."""
    assert rest_s(2.0, 1, 1.0) == rest_s(2.0, 1, 4.0) == 0.0


def test_a_quiet_time_pays_for_a_burst() -> None:
    """A second at most, and only what nothing rested or ran in."""
    burst = Burst()
    assert burst.cover(100.0, 0.75 * BURST_S, 0.25) == 0.0
    assert burst.cover(101.0, 1.0, 0.25) == 1.0 - 0.25 * BURST_S  # nobody said that it was quiet
    burst.quiet_since = 104.0
    assert burst.cover(107.0, 1.0, 0.25) == 0.5  # two seconds at a quarter
    burst.quiet_since = 110.0
    assert burst.cover(9999.0, 7.0, 0.25) == 7.0 - BURST_S


def test_the_first_edit_of_a_kept_document_delays_none_of_those_after_it(
    queue: DocumentQueue,
) -> None:
    """It costs more than they do, and is no steady load."""
    queue.touch("a", 0.0)
    run(queue, "a", 0.5, cost_s=0.75)
    queue.touch("a", 0.5)
    assert queue.next_due() == 1.25  # at once: it ended later than the debounce


def test_steady_edits_cost_a_quarter_of_a_core(queue: DocumentQueue) -> None:
    """Events each 100 ms, syncs of 2 s: over ten minutes the share stays within the load."""
    now, busy, end = 0.0, 0.0, 600.0
    while now < end:
        queue.touch("a", now)
        due = queue.next_due()
        if due is not None and due <= now:
            queue.begin("a")
            queue.end("a", now + 2.0, 2.0, "done")
            busy += 2.0
        now += 0.1
    assert 0.2 < busy / end <= 0.26


def test_many_noisy_documents_share_the_load(queue: DocumentQueue) -> None:
    """Ten documents edited without end cost no more together than one."""
    documents = [f"d{number}" for number in range(10)]
    now, busy, end = 0.0, 0.0, 2000.0
    while now < end:
        for document in documents:
            queue.touch(document, now)
        for document in queue.take_due(now, 1):
            queue.begin(document)
            queue.end(document, now + 0.5, 0.5, "done")
            busy += 0.5
        now += 0.5
    assert busy / end <= 0.27


def test_a_quiet_document_does_not_pay_for_a_noisy_one(queue: DocumentQueue) -> None:
    """One edit of a document that has rested is synced after its debounce."""
    queue.touch("noisy", 0.0)
    run(queue, "noisy", 0.5, cost_s=10.0)
    queue.touch("noisy", 11.0)
    queue.touch("quiet", 11.0)
    assert queue.take_due(11.5, 9) == ["quiet"]


def test_the_first_pass_is_not_counted(queue: DocumentQueue) -> None:
    """After catching up with everything, an edit is synced as quickly as ever."""
    queue.ask("a", 0.0)
    queue.begin("a")
    queue.end("a", 10.0, 10.0, "done", resting=False)
    queue.touch("a", 10.0)
    assert queue.next_due() == 10.5


def test_a_forgotten_document_is_never_due(queue: DocumentQueue) -> None:
    """A removed document is not due."""
    queue.ask("a", 0.0)
    queue.forget("a")
    assert queue.next_due() is None
    assert queue.take_due(9.0, 9) == []
