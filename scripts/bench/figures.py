"""What was measured, as values: medians, ratios, the goals for them and the comparison of runs."""

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence

import msgspec

MOST_LOSS = 0.15
_PERCENTILES = (50, 90, 98)


class Figure(msgspec.Struct, frozen=True):
    """One thing that was measured.

    Attributes:
        name: Stable, like ``cold/rows_10k/cpu``.
        what: For people.
        unit: Of ``ours`` and ``other``.
        ours: The median of our samples.
        samples: How many there were.
        against: What it is compared with: ``peer``, ``floor`` or ``python``; None for nothing.
        other: The median of that one's samples.
        ratio: ``ours / other``, the median over the rounds: a round's two samples were taken one
            right after the other.
        spread: Percentile -> value of our samples, where there are enough of them.
        others: Cores that the rest of the machine used meanwhile, the median.
    """

    name: str
    what: str
    unit: str
    ours: float
    samples: int
    against: str | None = None
    other: float | None = None
    ratio: float | None = None
    spread: dict[str, float] = {}
    others: float | None = None

    @property
    def part(self) -> str:
        """What stands before the first slash of its name."""
        return self.name.partition("/")[0]


class Subject(msgspec.Struct, frozen=True):
    """What is measured: ``name``, ``what`` and ``unit`` as in ``Figure``."""

    name: str
    what: str
    unit: str = "s"


class Goal(msgspec.Struct, frozen=True):
    """What docs/contract.md asks of a figure.

    Attributes:
        figure: The figure's name.
        most: The largest ratio that will do; of ``ours`` where there is nothing to compare with.
        text: The demand in its own words.
        absolute: The limit is for ``ours``, in the figure's unit.
        at_least: The limit is the smallest value that will do.
    """

    figure: str
    most: float
    text: str
    absolute: bool = False
    at_least: bool = False

    def is_reached(self, figure: Figure) -> bool:
        """Tell whether a figure reaches the goal."""
        value = figure.ours if self.absolute or figure.ratio is None else figure.ratio
        return value >= self.most if self.at_least else value <= self.most


def _times_less(figure: str, times: float, what: str = "CPU") -> Goal:
    return Goal(figure, 1 / times, f"{what} at least {times:g}x less than the peer's")


def _of_floor(figure: str, most: float) -> Goal:
    return Goal(figure, most, f"at most {most:g}x the floor")


GOALS = (
    _times_less("cold/rows_1k/cpu", 2.6),
    _times_less("cold/rows_10k/cpu", 2.4),
    _times_less("cold/rows_100k/cpu", 2.0),
    _times_less("cold/edited_10k/cpu", 3.3),
    Goal("cold/rows_100k/memory", 0.7, "at most 0.7x the peer's"),
    _of_floor("watch/one_cell", 0.12),
    _of_floor("watch/one_cell/cpu", 0.12),
    _of_floor("watch/row", 0.15),
    _of_floor("watch/row/cpu", 0.15),
    _of_floor("watch/letter", 0.15),
    _of_floor("watch/letter/cpu", 0.15),
    _of_floor("watch/thousand_rows", 0.4),
    _of_floor("watch/thousand_rows/cpu", 0.4),
    _of_floor("watch/one_cell_10k", 0.3),
    _of_floor("watch/one_cell_10k/cpu", 0.3),
    Goal("load/share", 0.15, "at most 0.15 of a core", absolute=True),
    Goal("load/oldest", 2.0, "never older than 2 s", absolute=True),
    Goal("watch/equal", 0.05, "under 1/20 of the floor"),
    Goal("start/empty", 0.25, "under 250 ms", absolute=True),
    Goal("start/in_step_1000", 2.0, "under 2 s", absolute=True),
    Goal("start/query", 0.0824, "at most 80 ms over the sqlite3 shell (2.4 ms)", absolute=True),
    Goal("rest/cpu_ticks", 0, "0 CPU ticks in 10 s", absolute=True),
    Goal("rest/memory", 60, "all processes at most 60 MB", absolute=True),
    Goal("roads/kept/warm", 95, "at least 95 % warm with gc off", absolute=True, at_least=True),
    Goal("growth/time", 1.1, "linear in rows", absolute=True),
    Goal("growth/memory", 1.1, "linear in rows", absolute=True),
)


def compared(
    subject: Subject,
    ours: Sequence[float],
    others: Sequence[float],
    against: str,
    busy: Sequence[float] = (),
) -> Figure:
    """Make a figure of samples taken in turns.

    Args:
        subject: What was measured.
        ours: Our samples, one a round.
        others: The other's of the same rounds.
        against: Who the other is.
        busy: Cores that the rest of the machine used during each sample.
    """
    ratios = [mine / theirs for mine, theirs in zip(ours, others, strict=True)]
    return msgspec.structs.replace(
        alone(subject, ours, busy),
        against=against,
        other=statistics.median(others),
        ratio=statistics.median(ratios),
    )


def alone(subject: Subject, ours: Sequence[float], busy: Sequence[float] = ()) -> Figure:
    """Make a figure of samples that there is nothing to compare with."""
    return Figure(
        name=subject.name,
        what=subject.what,
        unit=subject.unit,
        ours=statistics.median(ours),
        samples=len(ours),
        spread=_spread(ours),
        others=statistics.median(busy) if busy else None,
    )


def exponent(points: Mapping[float, float]) -> float:
    """Fit ``value = c * size ** exponent`` through points of size and value."""
    xs, ys = map(math.log, points), map(math.log, points.values())
    return statistics.linear_regression(list(xs), list(ys)).slope


def merged(old: Iterable[Figure], new: Iterable[Figure]) -> list[Figure]:
    """Put new figures in the place of the old ones of the same parts: ``cold``, ``watch``...

    Of documents that were not measured this time the old ones stay.
    """
    new = list(new)
    groups = {_group(figure) for figure in new}
    return [*(figure for figure in old if _group(figure) not in groups), *new]


def _group(figure: Figure) -> str:
    """Give the part of a figure; of a cold sync the document too."""
    return figure.name.rpartition("/")[0] if figure.part == "cold" else figure.part


def losses(committed: Iterable[Figure], now: Iterable[Figure]) -> list[str]:
    """Tell which ratios are worse than the committed ones by more than ``MOST_LOSS``."""
    before = {figure.name: figure.ratio for figure in committed if figure.ratio is not None}
    found: list[str] = []
    for figure in now:
        then = before.get(figure.name)
        if then is None or figure.ratio is None or figure.ratio <= then * (1 + MOST_LOSS):
            continue
        found.append(f"{figure.name}: {figure.ratio:.3f} of the {figure.against}, was {then:.3f}")
    return found


def _spread(samples: Sequence[float]) -> dict[str, float]:
    if len(samples) < 20:  # noqa: PLR2004 - fewer have no percentiles worth the name
        return {}
    cuts = statistics.quantiles(samples, n=100, method="inclusive")
    return {f"p{n}": cuts[n - 1] for n in _PERCENTILES} | {"max": max(samples)}
