"""Cold ``sync``: whole processes from spawn to exit, ours, the peer and the floor in turns."""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from scripts.bench.contenders import Contender, contenders
from scripts.bench.documents import GROWTH, LARGE, OTHERS, SMALL, WORK, Shape, document, place
from scripts.bench.figures import Figure, alone, compared, exponent
from scripts.bench.measure import Usage, peak_of_all_mb, remove, run, wait_for_quiet

_HUGE_ROWS = 1_000_000
_HUGE_ROUNDS = 3
_CROWDS = (1, 10, 100, 1000)


def measure_cold(
    *, rounds: int, patience_s: float, quick: bool, say: Callable[[str], None]
) -> list[Figure]:
    """Measure cold syncs of every shape of document, and how they grow.

    Args:
        rounds: How often; a million rows at most three times.
        patience_s: How long to wait for a quiet machine before each sample.
        quick: Only the two smallest documents.
        say: Gets a line of progress.
    """
    shapes = GROWTH[:2] if quick else (*GROWTH, *OTHERS)
    figures: list[Figure] = []
    for shape in shapes:
        least = min(rounds, _HUGE_ROUNDS) if shape.rows >= _HUGE_ROWS else rounds
        say(f"cold sync: {shape.what}, {least} rounds")
        figures += _shape(shape, least, patience_s)
    if not quick:
        figures += _growth(figures)
        say(f"cold sync: up to {_CROWDS[-1]} documents")
        figures += _crowds(min(rounds, _HUGE_ROUNDS), patience_s)
    return figures


def _shape(shape: Shape, rounds: int, patience_s: float) -> list[Figure]:
    ours, peer, floor = trio = contenders(shape)
    for contender in (ours, peer):
        _expect_rows(contender, shape.rows)
    used: dict[str, list[Usage]] = {contender.name: [] for contender in trio}
    for turn in range(rounds):
        for contender in (*trio[turn % 3 :], *trio[: turn % 3]):
            wait_for_quiet(patience_s)
            used[contender.name].append(contender.run())
    figures = _figures(shape, used[ours.name], used[peer.name], used[floor.name])
    if shape in (*GROWTH[1:3],):
        peak = compared(
            f"cold/{shape.name}/memory_of_all",
            f"{shape.what}: peak memory, all processes",
            "MB",
            [_peak_of_all(ours)],
            [_peak_of_all(peer)],
            "peer",
        )
        figures.append(peak)
    remove(ours.result, peer.result)
    return figures


def _figures(
    shape: Shape, ours: Sequence[Usage], peer: Sequence[Usage], floor: Sequence[Usage]
) -> list[Figure]:
    busy = [usage.others for usage in (*ours, *peer)]

    def figure(kind: str, text: str, unit: str, value: Callable[[Usage], float]) -> Figure:
        return compared(
            f"cold/{shape.name}/{kind}",
            f"{shape.what}: {text}",
            unit,
            list(map(value, ours)),
            list(map(value, peer)),
            "peer",
            busy,
        )

    walls, cpus = zip(*(map(float, usage.output.split()) for usage in floor), strict=True)
    cpu = [usage.cpu_s for usage in ours]
    return [
        figure("cpu", "CPU", "s", lambda usage: usage.cpu_s),
        figure("wall", "wall", "s", lambda usage: usage.wall_s),
        figure("memory", "peak memory, largest process", "MB", lambda usage: usage.largest_mb),
        compared(f"cold/{shape.name}/floor", f"{shape.what}: CPU", "s", cpu, cpus, "floor", busy),
        alone(f"floor/{shape.name}", f"{shape.what}: the floor, wall", "s", walls, busy),
    ]


def _expect_rows(contender: Contender, rows: int) -> None:
    """Warm up, and make sure that the work is done: the database must hold every row."""
    contender.run()
    with closing(sqlite3.connect(contender.result)) as database:
        names = database.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '\\_%' ESCAPE '\\'"
        ).fetchall()
        counts = [
            database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608 - ours
            for (name,) in names
        ]
    if sum(counts) != rows:
        message = f"{contender.name} wrote {sum(counts)} rows, not {rows}"
        raise RuntimeError(message)


def _peak_of_all(contender: Contender) -> float:
    remove(contender.result)
    return peak_of_all_mb(contender.command, contender.environment)


def _growth(figures: Sequence[Figure]) -> list[Figure]:
    """Fit how CPU and memory grow with rows, less what an empty start costs."""
    found = {figure.name: figure.ours for figure in figures}
    fits: list[Figure] = []
    for kind, name in (("cpu", "time"), ("memory", "memory")):
        points = {float(shape.rows): found[f"cold/{shape.name}/{kind}"] for shape in GROWTH[1:]}
        slope = exponent(points)
        fits.append(
            alone(f"growth/{name}", f"exponent of {name} against rows, 10k to 1M", "", [slope])
        )
    return fits


def _crowds(rounds: int, patience_s: float) -> list[Figure]:
    """Measure cold syncs of one to a thousand small documents."""
    source = document(SMALL)
    samples: dict[float, Figure] = {}
    for crowd in _CROWDS:
        root = WORK / "crowds" / str(crowd)
        mirrors = [
            place(source, root, f"w{number}").with_name("tables.sqlite") for number in range(crowd)
        ]
        command = Contender.ours(root, mirrors[0])
        used = [_fresh(command, mirrors, patience_s) for _ in range(rounds)]
        name, what = f"crowd/{crowd}", f"cold sync of {crowd:,} documents of {SMALL.rows} rows: CPU"
        samples[crowd] = alone(
            name, what, "s", [usage.cpu_s for usage in used], [usage.others for usage in used]
        )
    slope = exponent({crowd: figure.ours for crowd, figure in samples.items() if crowd > 1})
    fit = alone("growth/documents", "exponent of time against documents, 10 to 1,000", "", [slope])
    return [*samples.values(), fit]


def _fresh(contender: Contender, mirrors: Sequence[Path], patience_s: float) -> Usage:
    remove(*mirrors)
    wait_for_quiet(patience_s)
    return run(contender.command, contender.environment)


__all__ = ["LARGE", "measure_cold"]
