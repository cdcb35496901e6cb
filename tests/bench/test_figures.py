"""The bench's own arithmetic: a wrong figure would be believed."""

import pytest

from scripts.bench.figures import (
    Figure,
    Goal,
    Subject,
    alone,
    compared,
    exponent,
    losses,
    merged,
)

CPU = Subject("cold/rows_1k/cpu", "1,000 rows: CPU")


def test_ratio_is_the_median_of_the_rounds() -> None:
    """A round that was slow for both sides does not move the ratio."""
    figure = compared(CPU, [1.0, 10.0, 2.0], [2.0, 20.0, 3.0], "peer")
    assert figure.ratio == 0.5
    assert (figure.ours, figure.other, figure.samples) == (2.0, 3.0, 3)


def test_percentiles_need_samples() -> None:
    """Few samples have no percentiles; many have them in order."""
    assert alone(CPU, [1.0, 2.0]).spread == {}
    spread = alone(CPU, [float(n) for n in range(101)]).spread
    assert spread == {"p50": 50.0, "p90": 90.0, "p98": 98.0, "max": 100.0}


@pytest.mark.parametrize("power", [1.0, 1.5, 2.0])
def test_exponent_of_a_power_law(power: float) -> None:
    """The fit finds the exponent that the points were made with."""
    points = {size: 3.0 * size**power for size in (1e4, 1e5, 1e6)}
    assert exponent(points) == pytest.approx(power)


def test_loss_counts_from_fifteen_percent() -> None:
    """A ratio that is worse by more than 15 % is told; less, better and unknown ones are not."""
    then = [_figure("a", 0.4), _figure("b", 0.4), _figure("c", 0.4), _figure("gone", 1.0)]
    now = [_figure("a", 0.47), _figure("b", 0.45), _figure("c", 0.2), _figure("new", 9.0)]
    assert [line.partition(":")[0] for line in losses(then, now)] == ["a"]


def test_new_figures_replace_old_ones() -> None:
    """A part that is measured again takes the place of all its old figures; the others stay."""
    old = [_figure("cold/a", 1.0), _figure("cold/gone", 1.0), _figure("watch/b", 1.0)]
    found = merged(old, [_figure("cold/a", 2.0)])
    assert [(figure.name, figure.ratio) for figure in found] == [("watch/b", 1.0), ("cold/a", 2.0)]


@pytest.mark.parametrize(("ratio", "reached"), [(0.39, True), (0.4, True), (0.41, False)])
def test_goal_is_a_largest_ratio(ratio: float, *, reached: bool) -> None:
    """A goal is reached up to its limit."""
    assert Goal("a", 0.4, "2.5x less").is_reached(_figure("a", ratio)) is reached


def test_absolute_goal_takes_our_own_figure() -> None:
    """What is limited in seconds or megabytes does not depend on what it stands beside."""
    figure = Figure("start", "start", "s", ours=0.2, samples=1, other=0.01, ratio=20.0)
    assert Goal("start", 0.25, "under 250 ms", absolute=True).is_reached(figure)


def _figure(name: str, ratio: float) -> Figure:
    return Figure(name, name, "s", ours=ratio, samples=1, against="peer", other=1.0, ratio=ratio)
