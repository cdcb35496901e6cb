"""Expected mirrors of the cases in ``cases/keyed.mjs``."""

from tests.fidelity.expect.shapes import PLAIN_INFERRED, Expected, Line, Table, expected, table


def _alone(tables: dict[str, Table], *problems: Line) -> Expected:
    return expected(tables, *problems, plain=PLAIN_INFERRED)


_ODD_NAMES = {
    "": 0,
    "a:b": 1,
    "users_2": 2,
    "Users": 3,
    "_sqlite_x": 4,
    "_mirror_2": 5,
    "n\ufffdl": 6,
    "🦜": 7,
    '"; DROP TABLE plain;--': 8,
    "table:x": 9,
    "n" * 5000: 10,
}

KEYED = {
    "keyed_basic": _alone(
        {
            "t": table(
                "a TEXT,done INTEGER,more -,n REAL,tags TEXT",
                ("r1", "x", 1, None, 1.0, '["a"]'),
                ("r2", "y", 0, None, 2.5, "[]"),
            )
        }
    ),
    "keyed_last_writer": _alone(
        {
            "t": table(
                "v TEXT",
                ("big", "high"),
                ("early", "newest"),
                ("frac", "high"),
                ("late", "newest"),
                ("neg", "newest"),
                ("tie", "second"),
            )
        }
    ),
    "keyed_bad_entries": _alone(
        {"t": table("v INTEGER", ("good", 1)), "only_bad": table("")},
        ("t", None, "entry", 12, None),
        ("only_bad", None, "entry", 1, None),
    ),
    "keyed_odd_rows": _alone(
        {
            "t": table(
                "v INTEGER",
                ("a", 1, {"id": "other"}),
                ("b", None, '"a string"'),
                ("c", None, "null"),
                ("d", None, "null"),
                ("e", None, "[1]"),
                ("f", None),
                ("g", 2),
            )
        },
        ("t", "id", "id_mismatch", 1, "a"),
        ("t", None, "not_a_row", 4, "b"),
    ),
    "keyed_shared_entries": _alone({"t": table("v TEXT", ("r1", "text"), ("r2", "plain"))}),
    "keyed_deleted": _alone({"t": table("v INTEGER", ("r1", 3))}),
    "keyed_odd_names": _alone(
        {
            name: table("ID_2 TEXT,v INTEGER", ("k", "x", index))
            for name, index in _ODD_NAMES.items()
        },
        *((name, "ID", "name", 0, None) for name in _ODD_NAMES),
        *(
            (name, None, "name", 0, None)
            for name in ("users_2", "_sqlite_x", "_mirror_2", "n\ufffdl")
        ),
    ),
    "keyed_odd_keys": _alone(
        {
            "t": table(
                "v INTEGER",
                *sorted(
                    (key, index)
                    for index, key in enumerate(["", "A", "a", "nul\0", "🦜", "__proto__", "it's"])
                ),
            )
        }
    ),
    "keyed_inferred": _alone(
        {
            "t": table(
                "b INTEGER,f REAL,i INTEGER,j TEXT,m -,n -,s TEXT",
                ("r1", 1, 3.0, 3, "[]", 2, None, "z"),
                ("r2", 0, 0.5, 2, "{}", "x", None, "y"),
            )
        }
    ),
    "keyed_beside_maps": expected(
        {
            "notes": table("a TEXT", ("k1", "from the array")),
            "notes_2": table("a TEXT!", ("m1", "from the map")),
            "loose": table("a TEXT", ("m1", "map only")),
            "tasks": table("n INTEGER", ("k1", 1)),
        },
        ("notes_2", None, "name", 0, None),
    ),
    "keyed_merged": Expected(
        {"t": table("v TEXT", ("own1", "mine"), ("own2", "mine"), ("same", "client 2"))}
    ),
}
