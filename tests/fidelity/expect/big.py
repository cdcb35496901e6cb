"""Expected mirrors of the cases in ``cases/big.mjs``."""

from tests.fidelity.expect.shapes import Expected, Line, Table, expected, table

_ROOM = 1998
"""Columns SQLite leaves for fields: 2000 less ``id`` and ``_extra``."""


def _wide(count: int) -> Expected:
    names = [f"f{index:05}" for index in range(count)]
    shown, past = names[:_ROOM], names[_ROOM:]
    full = {name: int(name[1:]) for name in past}
    rows: list[tuple[object, ...]] = [
        ("full", *range(len(shown)), *([full] if past else [])),
        ("last", *[None] * (len(shown) - 1), None if past else -1),
        ("none", *[None] * len(shown)),
    ]
    if past:
        rows[1] = (*rows[1], {names[-1]: -1})
    problems: list[Line] = [("t", name, "too_many", 1, "full") for name in past[:-1]]
    problems += [("t", name, "too_many", 2, "full") for name in past[-1:]]
    return expected({"t": table([f"{name} INTEGER" for name in shown], *rows)}, *problems)


def _text() -> Table:
    return table(
        "a TEXT!,j TEXT,y TEXT",
        ("r1", "ü" * (25 * 2**20), None, None),
        ("r2", "small", '["' + "y" * 2**20 + '"]', "x" * 2**20),
    )


BIG = {
    "big_fields_1998": lambda: _wide(1998),
    "big_fields_2001": lambda: _wide(2001),
    "big_fields_5000": lambda: _wide(5000),
    "big_fields_2001_undeclared": lambda: _wide(2001),
    "big_string": lambda: expected({"t": _text()}),
    "big_many_updates": lambda: expected(
        {
            "t": table(
                "a TEXT!,n INTEGER!",
                *sorted((f"r{index}", "start", 4_900 + index) for index in range(100)),
            )
        }
    ),
    "big_nesting": lambda: expected(
        {"t": table("j TEXT", ("r1", None), ("r2", "[" * 10 + "]" * 10))},
        ("t", "j", "too_deep", 1, "r1"),
    ),
}
"""Functions, so that fifty megabytes are made only where they are compared."""
