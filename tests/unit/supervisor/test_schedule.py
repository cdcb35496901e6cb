"""The schedule: when a document is synced next, told without a clock."""

import pytest

from sidecar.supervisor.schedule import RETRY_MS, SETTLED_TRIES, SLOW_MS, Schedule, Timing, rest_s

TIMING = Timing(debounce_s=0.5, max_wait_s=5.0, max_load=0.25)


@pytest.fixture
def schedule() -> Schedule:
    """Begin with no document."""
    return Schedule(TIMING)


def run(schedule: Schedule, document: str, now: float, cost_s: float = 0.0) -> None:
    """Sync a document at once, from ``now`` on."""
    schedule.begin(document)
    schedule.end(document, now + cost_s, cost_s, "done")


def test_nothing_is_due_at_rest(schedule: Schedule) -> None:
    """An idle program has no reason to wake up."""
    assert schedule.next_due() is None
    schedule.touch("a", 0.0)
    run(schedule, "a", 1.0)
    assert schedule.next_due() is None


def test_the_debounce_begins_with_the_last_event(schedule: Schedule) -> None:
    """Each event puts the sync off by the quiet time."""
    schedule.touch("a", 10.0)
    schedule.touch("a", 10.3)
    assert schedule.next_due() == 10.8
    assert schedule.due(10.7, 9) == []
    assert schedule.due(10.8, 9) == ["a"]


def test_a_change_that_was_not_heard_yet_puts_off(schedule: Schedule) -> None:
    """Events come late: what is due is looked at once more, and its debounce begins anew."""
    schedule.touch("a", 10.0)
    assert schedule.put_off("a", 10.5, 0.2)
    assert schedule.next_due() == pytest.approx(10.8)
    assert not schedule.put_off("a", 10.8, 0.5)
    assert schedule.due(10.81, 9) == ["a"]


@pytest.mark.parametrize(("now", "quiet_s"), [(10.5, -3600.0), (10.5, 3600.0), (15.0, 0.1)])
def test_nothing_is_put_off_by_a_clock_that_jumped_or_for_ever(
    schedule: Schedule, now: float, quiet_s: float
) -> None:
    """Back, ahead, and past the longest wait."""
    schedule.touch("a", 10.0)
    assert not schedule.put_off("a", now, quiet_s)


def test_what_was_asked_for_is_not_put_off(schedule: Schedule) -> None:
    """A command or a retry knows of no debounce."""
    schedule.touch("a", 10.0)
    schedule.ask("a", 10.1)
    assert not schedule.put_off("a", 10.1, 0.0)


def test_a_wait_that_never_goes_quiet_ends(schedule: Schedule) -> None:
    """Events each 100 ms for ever are synced after the longest wait."""
    for tenth in range(100):
        schedule.touch("a", tenth / 10)
    assert schedule.next_due() == 5.0


def test_events_during_a_sync_lead_to_one_more(schedule: Schedule) -> None:
    """A document is never given out twice at a time, and no change is lost."""
    schedule.touch("a", 0.0)
    schedule.begin("a")
    schedule.touch("a", 1.0)
    schedule.touch("a", 1.1)
    assert schedule.next_due() is None
    schedule.end("a", 2.0, 0.0, "done")
    assert schedule.due(2.0, 9) == ["a"]
    run(schedule, "a", 2.0)
    assert schedule.next_due() is None


def test_a_command_does_not_wait(schedule: Schedule) -> None:
    """Asked for is due at once, whatever the debounce and the load rule say."""
    schedule.touch("a", 0.0)
    run(schedule, "a", 0.5, cost_s=10.0)
    schedule.touch("a", 11.0)
    schedule.ask("a", 11.0)
    assert schedule.due(11.0, 9) == ["a"]


def test_the_oldest_due_goes_first(schedule: Schedule) -> None:
    """A noisy document does not starve quiet ones."""
    schedule.touch("noisy", 0.0)
    schedule.touch("quiet", 0.1)
    schedule.touch("noisy", 0.2)
    assert schedule.due(9.0, 9) == ["quiet", "noisy"]
    assert schedule.due(9.0, 1) == ["quiet"]


def test_what_was_looked_at_and_not_begun_stays_due(schedule: Schedule) -> None:
    """Asking what is due takes nothing away."""
    schedule.ask("a", 0.0)
    assert schedule.due(1.0, 9) == schedule.due(1.0, 9) == ["a"]
    schedule.begin("a")
    schedule.give_back("a", 2.0)
    assert schedule.due(2.0, 9) == ["a"]


def test_retries_climb_the_ladder_and_end(schedule: Schedule) -> None:
    """A file that stays torn is tried at the documented times, from the sixth on as settled."""
    schedule.ask("a", 0.0)
    waits, settled = [], []
    for _ in range(len(RETRY_MS) + 1):
        settled.append(schedule.begin("a"))
        waits.append(schedule.end("a", 0.0, 0.0, "retry"))
    assert waits == [*RETRY_MS, None]
    assert settled == [False] * SETTLED_TRIES + [True] * (len(RETRY_MS) + 1 - SETTLED_TRIES)
    assert schedule.next_due() is None


def test_the_ladder_begins_anew_after_its_end(schedule: Schedule) -> None:
    """A later event gives a torn file all its tries again, and so does a success."""
    for _ in range(2):
        for _ in range(len(RETRY_MS) + 1):
            schedule.touch("a", 0.0)
            schedule.begin("a")
            schedule.end("a", 0.0, 0.0, "retry")
    assert schedule.begin("a") is False
    schedule.end("a", 0.0, 0.0, "retry")
    schedule.begin("a")
    schedule.end("a", 0.0, 0.0, "done")
    assert schedule.begin("a") is False


def test_slow_retries_go_on(schedule: Schedule) -> None:
    """A full disk is looked at for ever, at last every half minute."""
    waits = []
    for _ in range(len(SLOW_MS) + 2):
        schedule.ask("a", 0.0)
        schedule.begin("a")
        waits.append(schedule.end("a", 0.0, 0.0, "slow"))
    assert waits == [*SLOW_MS, SLOW_MS[-1], SLOW_MS[-1]]


def test_a_bad_version_waits_for_the_next_event(schedule: Schedule) -> None:
    """What will never decode is not tried again by itself."""
    schedule.ask("a", 0.0)
    schedule.begin("a")
    assert schedule.end("a", 0.0, 0.0, "once") is None
    assert schedule.next_due() is None
    schedule.touch("a", 1.0)
    assert schedule.next_due() == 1.5


@pytest.mark.parametrize(("crowd", "gap"), [(1, 6.0), (2, 14.0)])
def test_a_rest_keeps_the_load(crowd: int, gap: float) -> None:
    """A sync of 2 s is followed by 6 s of rest at a quarter; documents at rest share it."""
    assert rest_s(2.0, crowd, 0.25) == gap


def test_full_load_needs_no_rest() -> None:
    """--max-load 1 and more is no limit for one document."""
    assert rest_s(2.0, 1, 1.0) == rest_s(2.0, 1, 4.0) == 0.0


def test_steady_edits_cost_a_quarter_of_a_core(schedule: Schedule) -> None:
    """Events each 100 ms, syncs of 2 s: over ten minutes the share stays within the load."""
    now, busy, end = 0.0, 0.0, 600.0
    while now < end:
        schedule.touch("a", now)
        due = schedule.next_due()
        if due is not None and due <= now:
            schedule.begin("a")
            schedule.end("a", now + 2.0, 2.0, "done")
            busy += 2.0
        now += 0.1
    assert 0.2 < busy / end <= 0.26


def test_many_noisy_documents_share_the_load(schedule: Schedule) -> None:
    """Ten documents edited without end cost no more together than one."""
    documents = [f"d{number}" for number in range(10)]
    now, busy, end = 0.0, 0.0, 2000.0
    while now < end:
        for document in documents:
            schedule.touch(document, now)
        for document in schedule.due(now, 1):
            schedule.begin(document)
            schedule.end(document, now + 0.5, 0.5, "done")
            busy += 0.5
        now += 0.5
    assert busy / end <= 0.27


def test_a_quiet_document_does_not_pay_for_a_noisy_one(schedule: Schedule) -> None:
    """One edit of a document that has rested is synced after its debounce."""
    schedule.touch("noisy", 0.0)
    run(schedule, "noisy", 0.5, cost_s=10.0)
    schedule.touch("noisy", 11.0)
    schedule.touch("quiet", 11.0)
    assert schedule.due(11.5, 9) == ["quiet"]


def test_the_first_pass_is_not_counted(schedule: Schedule) -> None:
    """After catching up with everything, an edit is synced as quickly as ever."""
    schedule.ask("a", 0.0)
    schedule.begin("a")
    schedule.end("a", 10.0, 10.0, "done", resting=False)
    schedule.touch("a", 10.0)
    assert schedule.next_due() == 10.5


def test_a_forgotten_document_is_never_due(schedule: Schedule) -> None:
    """What is gone is not asked for."""
    schedule.ask("a", 0.0)
    schedule.forget("a")
    assert schedule.next_due() is None
    assert schedule.due(9.0, 9) == []
