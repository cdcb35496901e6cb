"""Expected mirrors of the cases in ``cases/definitions.mjs``."""

import msgspec

from tests.fidelity.expect.shapes import PLAIN_INFERRED, Expected, expected, table

_ROWS = (("r1", "x", 1), ("r2", "y", 2))
_INFERRED = {"t": table("a TEXT,n INTEGER", *_ROWS)}
_DECLARED = table("a TEXT!,n INTEGER!", *_ROWS)
_UNDEFINED: Expected = expected(_INFERRED, ("t", None, "definition", 0, None))
_NO_ROOT: Expected = expected(_INFERRED, (None, None, "definition", 0, None))
_TYPED_TEXT = [*"abcdefghjkl"]

DEFINITIONS = {
    "def_none": expected(_INFERRED, plain=PLAIN_INFERRED),
    "def_tables_empty": expected(_INFERRED),
    "def_tables_null": expected(_INFERRED),
    "def_tables_string": _NO_ROOT,
    "def_tables_array": _NO_ROOT,
    "def_root_text": expected(_INFERRED),
    "def_root_array": expected(_INFERRED),
    "def_table_null": _UNDEFINED,
    "def_table_string": _UNDEFINED,
    "def_table_array": _UNDEFINED,
    "def_table_number": _UNDEFINED,
    "def_table_empty": expected(_INFERRED),
    "def_fields_null": _UNDEFINED,
    "def_fields_string": _UNDEFINED,
    "def_fields_array": _UNDEFINED,
    "def_fields_empty": expected(
        {"t": table("", ("r1", {"a": "x", "n": 1}), ("r2", {"a": "y", "n": 2}))}
    ),
    "def_field_wrong": expected(
        {
            "t": table(
                ",".join(sorted(["i TEXT", *(f"{name} TEXT!" for name in _TYPED_TEXT)])),
                ("r1", *_TYPED_TEXT[:8], None, *_TYPED_TEXT[8:]),
            ),
            "u": table("s TEXT!", ("r1", "short form")),
        },
        *(("t", field, "definition", 0, None) for field in "bcdefghijkl"),
        ("u", "s", "definition", 0, None),
    ),
    "def_unknown_type_numbers": expected(
        {
            "t": table(
                "price TEXT!",
                ("r1", "5", {"price": 5}),
                ("r2", "5"),
                ("r3", '{"amount":5}'),
            )
        },
        ("t", "price", "definition", 0, None),
        ("t", "price", "kind", 2, "r1"),
    ),
    "def_both_roots": expected(
        {"t": table("a TEXT!", ("r1", "x", {"b": "y"})), "u": table("b TEXT!", ("r1", "y"))}
    ),
    "def_all_json": expected({"t": _DECLARED, "none": table("")}),
    "def_all_ymap": expected({"t": table("a TEXT!,n INTEGER", *_ROWS)}),
    "def_fields_ymap": expected({"t": _DECLARED}),
    "def_labels": expected(
        {"t": table("s TEXT!,t TEXT", ("r1", "open", '["b"]')), "odd": table("s TEXT!")}
    ),
    "def_without_rows": expected(
        {
            "empty": table("a TEXT!,n INTEGER"),
            "emptied": table("a TEXT!"),
            "fieldless": table(""),
        }
    ),
    "def_id_field": expected(
        {name: table("a TEXT!", ("r1", "x")) for name in ("without", "number", "nullable")}
    ),
    "def_inferred": expected(
        {
            "t": table(
                "blobs BLOB,blobtext -,boolint -,bools INTEGER,floats REAL,ints INTEGER,"
                "jsons TEXT,lists TEXT,mixed -,nullint INTEGER,nulls -,reals REAL,some INTEGER,"
                "textlist -,texts TEXT,ytexts TEXT",
                (
                    *("r1", b"\0\xff", b"\0\xff", 1, 1, 0.5, 1, "{}", '["a"]', "a", None, None),
                    *(1.0, 1, "a", "a", "a"),
                ),
                (
                    *("r2", b"\0\xff", "a", 2, 0, -1.5, 2, "[1]", "[]", 2, 2, None),
                    *(2.5, None, '["a"]', "b", "b"),
                ),
            )
        }
    ),
    "def_inferred_numbers": expected(
        {
            "t": table(
                "big INTEGER,edge REAL,inf REAL,mixed -,nan REAL",
                ("r1", 2**63 - 1, 9007199254740992.0, float("inf"), 2**63 - 1, None),
                ("r2", -(2**63), 9007199254740994.0, 1.0, 0.5, 1.0),
            )
        },
        ("t", "nan", "not_finite", 1, "r1"),
    ),
}

About = tuple[str | int | None, ...]


class Labels(msgspec.Struct, frozen=True):
    """What the catalog says of some tables and columns.

    Attributes:
        tables: Name here -> source, label, description, icon, declared.
        columns: Table and column -> type, label, description, icon, options.
    """

    tables: dict[str, About]
    columns: dict[tuple[str, str], About]


_EMOJI = '{"type":"emoji","value":"📝"}'
_NOTHING = (None,) * 4

LABELS = {
    "def_labels": Labels(
        tables={
            "t": ("t", "Things", 'All our "things"', "📦", 1),
            "odd": ("odd", None, '["x"]', _EMOJI, 1),
        },
        columns={
            ("t", "s"): ("select", "State", "Where it stands", "🚦", '["open","done"]'),
            ("t", "t"): ("tags", None, None, None, '["ü","b"]'),
            ("odd", "s"): ("select", "5", None, _EMOJI, '"none"'),
        },
    ),
    "def_all_ymap": Labels(
        tables={"t": ("t", "All maps", "Y.Map at each level", "🗺", 1)},
        columns={("t", "a"): ("select", "Choice", None, None, '["x","y"]')},
    ),
    "def_both_roots": Labels(
        tables={
            "t": ("t", "From definition", None, None, 1),
            "u": ("u", "Only schema", None, None, 1),
        },
        columns={("t", "a"): ("text", *_NOTHING)},
    ),
    "def_fields_string": Labels(
        tables={"t": ("t", "Label", None, "📝", 0)}, columns={("t", "n"): (None, *_NOTHING)}
    ),
    "def_field_wrong": Labels(
        tables={"t": ("t", "t", None, None, 1)},
        columns={("t", "h"): ("currency", *_NOTHING), ("t", "e"): (None, *_NOTHING)},
    ),
    "names_case": Labels(
        tables={"users_3": ("users", "users", None, None, 1)},
        columns={("t", "name_3"): ("text", *_NOTHING)},
    ),
    "def_none": Labels(
        tables={"t": ("t", None, None, None, 0)}, columns={("t", "a"): (None, *_NOTHING)}
    ),
}
