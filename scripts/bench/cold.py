"""Cold ``sync``: whole processes from spawn to exit, ours, the peer and the floor in turns."""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from scripts.bench.contenders import Contender, contenders
from scripts.bench.documents import GROWTH, OTHERS, SMALL, WORK, Shape, document, place
from scripts.bench.figures import Figure, Subject, alone, compared, exponent
from scripts.bench.measure import Usage, peak_of_all_mb, remove, run
from scripts.bench.plan import Plan

_HUGE_ROWS = 1_000_000
_FEW_ROUNDS = 3
_CROWDS = (1, 10, 100, 1000)


def measure_cold(plan: Plan) -> list[Figure]:
    """Measure cold syncs of every shape of document, and how they grow."""
    shapes = GROWTH[:2] if plan.quick else (*GROWTH[: len(GROWTH) - (not plan.huge)], *OTHERS)
    figures = [figure for shape in shapes for figure in _shape(plan, shape)]
    if plan.huge:
        figures += _growth(figures)
    if not plan.quick:
        figures += _crowds(plan)
    return figures


def _shape(plan: Plan, shape: Shape) -> list[Figure]:
    is_main = shape in GROWTH and shape.rows < _HUGE_ROWS
    rounds = plan.rounds if is_main else min(plan.rounds, _FEW_ROUNDS)
    plan.say(f"cold sync: {shape.what}, {rounds} rounds")
    ours, peer, floor = trio = contenders(shape)
    for contender in (ours, peer):
        _expect_rows(contender, shape.rows)
    used: dict[str, list[Usage]] = {contender.name: [] for contender in trio}
    for turn in range(rounds):
        for contender in (*trio[turn % 3 :], *trio[: turn % 3]):
            plan.wait()
            used[contender.name].append(contender.run())
    figures = _figures(shape, used[ours.name], used[peer.name], used[floor.name])
    if shape.rows < _HUGE_ROWS:
        name, what = f"cold/{shape.name}/memory_of_all", f"{shape.what}: peak memory, all processes"
        peaks = [_peak_of_all(ours)], [_peak_of_all(peer)]
        figures.append(compared(Subject(name, what, "MB"), *peaks, "peer"))
    remove(ours.result, peer.result)
    return figures


def _figures(
    shape: Shape, ours: Sequence[Usage], peer: Sequence[Usage], floor: Sequence[Usage]
) -> list[Figure]:
    busy = [usage.others for usage in (*ours, *peer)]

    def figure(kind: str, text: str, unit: str, value: Callable[[Usage], float]) -> Figure:
        subject = Subject(f"cold/{shape.name}/{kind}", f"{shape.what}: {text}", unit)
        return compared(subject, list(map(value, ours)), list(map(value, peer)), "peer", busy)

    walls, cpus = zip(*(map(float, usage.output.split()) for usage in floor), strict=True)
    cpu = [usage.cpu_s for usage in ours]
    return [
        figure("cpu", "CPU", "s", lambda usage: usage.cpu_s),
        figure("wall", "wall", "s", lambda usage: usage.wall_s),
        figure("memory", "peak memory, largest process", "MB", lambda usage: usage.largest_mb),
        compared(Subject(f"cold/{shape.name}/floor", f"{shape.what}: CPU"), cpu, cpus, "floor"),
        alone(Subject(f"floor/{shape.name}", f"{shape.what}: wall"), walls),
    ]


def _expect_rows(contender: Contender, rows: int) -> None:
    """Warm up, and make sure that the work is done: the database must hold every row."""
    contender.run()
    with closing(sqlite3.connect(contender.result)) as database:
        tables = database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
        found = sum(
            database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]
            for (name,) in tables
            if not name.startswith("_")
        )
    if found != rows:
        message = f"{contender.name} wrote {found} rows, not {rows}"
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
            alone(Subject(f"growth/{name}", f"exponent of {name}, 10k to 1M rows", ""), [slope])
        )
    return fits


def _crowds(plan: Plan) -> list[Figure]:
    """Measure cold syncs of one to a thousand small documents."""
    plan.say(f"cold sync: up to {_CROWDS[-1]:,} documents")
    source = document(SMALL)
    samples: dict[float, Figure] = {}
    for crowd in _CROWDS:
        root = WORK / "crowds" / str(crowd)
        mirrors = [
            place(source, root, f"w{number}").with_name("tables.sqlite") for number in range(crowd)
        ]
        command = Contender.ours(root, mirrors[0])
        used = [_fresh(plan, command, mirrors) for _ in range(min(plan.rounds, _FEW_ROUNDS))]
        subject = Subject(f"crowd/{crowd}", f"{crowd:,} documents of {SMALL.rows} rows: CPU")
        samples[crowd] = alone(subject, [usage.cpu_s for usage in used])
    slope = exponent({crowd: figure.ours for crowd, figure in samples.items() if crowd > 1})
    fit = Subject("growth/documents", "exponent of time, 10 to 1,000 documents", "")
    return [*samples.values(), alone(fit, [slope])]


def _fresh(plan: Plan, contender: Contender, mirrors: Sequence[Path]) -> Usage:
    remove(*mirrors)
    plan.wait()
    return run(contender.command, contender.environment)
