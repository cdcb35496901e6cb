"""Expected mirrors of the cases in ``cases/rows.mjs``."""

from tests.fidelity.expect.shapes import expected, table

_ID_TEXTS = (
    "",
    " ",
    "line\nbreak",
    "nul\0inside",
    "\0",
    'it\'s "quoted"; DROP TABLE t;--',
    "🦜",
    "lone\ufffdhigh",
    "\ufffd",
    "A",
    "a",
    "Ä",
    "ä",
    "x" * 10_000,
    "__proto__",
    "1",
    "01",
)

ROWS = {
    "rows_missing_required": expected(
        {
            "t": table(
                "a TEXT,b INTEGER,c TEXT!",
                ("r1", "x", 1, "c"),
                ("r2", "y", None, "c"),
                ("r3", None, 3, "c"),
                ("r4", None, None, "c"),
            )
        },
        ("t", "a", "missing", 2, "r3"),
        ("t", "b", "missing", 2, "r2"),
    ),
    "rows_nullable": expected(
        {"t": table("a TEXT,b INTEGER,n TEXT", ("r1", None, 1, None), ("r2", None, None, None))}
    ),
    "rows_field_added": expected(
        {
            "t": table(
                "a TEXT!,added TEXT,chosen TEXT",
                ("r1", "old", None, None),
                ("r2", "old too", None, None),
                ("r3", "new", "here", "no"),
            )
        },
        ("t", "added", "missing", 2, "r1"),
        ("t", "chosen", "missing", 2, "r1"),
    ),
    "rows_richtext_null": expected(
        {
            "t": table(
                "body TEXT,other TEXT",
                ("r1", None, None),
                ("r2", "doc-1", "doc-2"),
                ("r3", None, None),
            )
        }
    ),
    "rows_undeclared_fields": expected(
        {
            "t": table(
                "a TEXT!",
                ("r1", "x", {"b": 1, "c": ["l", 2.5, {"a": None, "z": 1}]}),
                ("r2", "y"),
                ("r3", "z", {"": "ü", "b": None, 'q"': True}),
            )
        }
    ),
    "rows_dropped_field": expected({"t": table("a TEXT!", ("r1", "x", {"gone": 7}))}),
    "rows_without_fields": expected(
        {"bare": table("", ("r1",), ("r2",)), "half": table("a TEXT", ("r1", None), ("r2", "x"))}
    ),
    "rows_id_differs": expected(
        {
            "t": table(
                "a TEXT!",
                ("3", "z", {"id": 3}),
                ("k1", "x", {"id": "other"}),
                ("k2", "y"),
                ("k4", "same"),
            )
        },
        ("t", "id", "id_mismatch", 2, "3"),
    ),
    "rows_two_keys_one_id": expected(
        {
            "t": table(
                "a TEXT!", ("k1", "x", {"id": "same"}), ("k2", "y", {"id": "same"}), ("same", "z")
            )
        },
        ("t", "id", "id_mismatch", 2, "k1"),
    ),
    "rows_no_id": expected({"t": table("a TEXT!", ("k1", "x"), ("k2", "y"))}),
    "rows_plain_object": expected(
        {
            "t": table(
                "a TEXT!,n INTEGER!",
                ("r1", "plain", 1),
                ("r2", "map", 2),
                ("r3", "plain", 3, {"id": "else", "more": [1]}),
            )
        },
        ("t", "id", "id_mismatch", 1, "r3"),
    ),
    "rows_no_map": expected(
        {
            "t": table(
                "a TEXT,n INTEGER",
                ("a0", "good", 1),
                ("b1", None, None, '"a string"'),
                ("b2", None, None, '[1,"two",null]'),
                ("b3", None, None, "5"),
                ("b4", None, None, "null"),
                ("b5", None, None, "true"),
                ("b6", None, None, '"text"'),
                ("b7", None, None, '["x",1]'),
                ("b8", None, None, '"AQID"'),
                ("b9", None, None, "null"),
            )
        },
        ("t", None, "not_a_row", 9, "b1"),
        ("t", "a", "missing", 9, "b1"),
    ),
    "rows_no_map_undeclared": expected(
        {
            "t": table("a TEXT", ("a0", "good"), ("b1", None, '"a string"')),
            "only": table("", ("x", "[1]")),
        },
        ("t", None, "not_a_row", 1, "b1"),
        ("only", None, "not_a_row", 1, "x"),
    ),
    "rows_empty_field": expected(
        {"t": table([" TEXT", "a TEXT"], ("r1", "x", "y"), ("r2", None, None, '"no map"'))},
        ("t", None, "not_a_row", 1, "r2"),
        ("t", "", "missing", 1, "r2"),
        ("t", "a", "missing", 1, "r2"),
    ),
    "rows_table_no_map": expected(
        {
            "t_array": table("a TEXT!"),
            "t_null": table(""),
            "t_number": table(""),
            "t_object": table("a TEXT", ("r1", "plain table")),
            "t_text": table(""),
            "t_yarray": table(""),
            "t_ytext": table(""),
        },
        *(
            (f"t_{name}", None, "not_a_table", 0, None)
            for name in ("array", "null", "number", "text", "yarray", "ytext")
        ),
    ),
    "rows_odd_ids": expected(
        {"t": table("a INTEGER!", *sorted((name, index) for index, name in enumerate(_ID_TEXTS)))}
    ),
    "rows_of_text": expected(
        {
            "t": table(
                "a TEXT!,d TEXT!,other TEXT!,s TEXT!,y TEXT!",
                ("r1", "as Y.Text", "2026-01-21T10:00:00Z|Europe/Paris", "x", "s", "as string"),
                ("r2", "a", "no date", "y", "", ""),
            )
        }
    ),
}
