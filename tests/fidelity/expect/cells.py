"""Expected mirrors of the cases in ``cases/cells.mjs``."""

from math import inf

from tests.fidelity.expect.shapes import expected, j, table


def _deep(levels: int) -> str:
    return "[" * levels + "]" * levels


def _numeric(key: str, text: str, integer: object, real: object) -> tuple[object, ...]:
    """Describe a row of ``cells_numeric_texts``: what SQLite's affinities make of a text."""
    changed = {} if integer == text else {"_extra": {"b": text, "n": text, "r": text}}
    return (key, integer, integer, real, *changed.values())


_ODD_KEYS: dict[str, object] = {"__proto__": {"a": 1}, "": 1, "constructor": 2, "10": 10, "9": 9}
_ODD_KEYS |= {"a.b": 3, "$": 4, "[0]": 5, '"': 6, "\\": 7, "\0": 8, "\n": 9, "Z": 11, "a": 12}
_ODD_KEYS |= {"é": 13, "e\u0301": 14, "🦜": 15, "\uffff": 16, "\u2028": 17, "\u007f": 18}
_TEXT_TYPES = ("c_date", "c_id", "c_richtext", "c_select", "c_text", "c_ytext")
_NESTED = '[{"a":1,"b":"text","c":[[]]},"x",null,"<p a=\\"1\\" b=\\"2\\"></p>","inner-doc"]'
_FRAGMENT = (
    '<p alpha="a" beta="b" mid="m" zeta="z">Hello <strong>bold</strong></p><hr></hr>',
    '<bulletlist level="1"><listitem></listitem></bulletlist>',
    'a <b x="1" y="2"><i>b</i></b> c',
    "",
    '<p n="2" t="true"></p>',
)
_HOOK = '{"more":{"n":1},"src":"x"}'
_STRINGS = (
    *("", "\0", "nul\0inside", "\ufffd", "\u2028\u2029", "🦜", "null", '{"a":1}', "it's"),
    *("\u007f\u0001\b\f\n\r\t", "\ufeffbom", "\uffff"),
)


def _everywhere(
    key: str, text: object, *others: object, extra: object = None
) -> tuple[object, ...]:
    """Describe a row of ``cells_wrong_kinds``, whose columns stand in the order of their names.

    Args:
        key: The row's.
        text: What the columns of TEXT show.
        others: What boolean, integer, json, real show.
        extra: The original that the columns of TEXT changed.
    """
    boolean, integer, json, real = others
    row = (key, boolean, text, text, integer, json, real, text, text, json, text, text)
    return row if extra is None else (*row, dict.fromkeys(_TEXT_TYPES, extra))


CELLS = {
    "cells_undefined": expected(
        {
            "t": table(
                "a TEXT,j TEXT,n INTEGER",
                ("r1", None, None, None),
                ("r2", "x", '{"l":[null],"u":null}', 1),
            )
        },
        ("t", "a", "missing", 1, "r1"),
        ("t", "j", "missing", 1, "r1"),
    ),
    "cells_not_finite": expected(
        {
            "t": table(
                "c_boolean INTEGER,c_integer INTEGER,c_json TEXT,c_real REAL,c_tags TEXT,"
                "c_text TEXT",
                ("inf", inf, inf, None, inf, None, "Inf", {"c_text": None}),
                ("nan", None, None, None, None, None, None),
                ("neg", -inf, -inf, None, -inf, None, "-Inf", {"c_text": None}),
            )
        },
        *(("t", f"c_{name}", "not_finite", 3, "inf") for name in ("json", "tags")),
        *(
            ("t", f"c_{name}", "not_finite", 1, "nan")
            for name in ("boolean", "integer", "real", "text")
        ),
        *(("t", f"c_{name}", "kind", 2, "inf") for name in ("boolean", "integer", "text")),
    ),
    "cells_not_finite_required": expected(
        {
            "t": table(
                "j TEXT!,n REAL,x REAL!",
                ("r1", '[null,null,{"a":null}]', None, inf, {"more": None}),
                ("r2", "1", 1.0, -inf),
            )
        },
        ("t", "n", "not_finite", 1, "r1"),
        ("t", "n", "missing", 1, "r1"),
    ),
    "cells_integers": expected(
        {
            "t": table(
                "j TEXT!,n INTEGER!,r REAL!",
                ("a_neg_zero", "0", 0, 0.0),
                ("b_max_safe", "9007199254740991", 2**53 - 1, 9007199254740991.0),
                ("c_53", "9007199254740992", 2**53, 9007199254740992.0),
                ("d_min", "-9007199254740992", -(2**53), -9007199254740992.0),
                ("e_past", "9007199254740994", 2**53 + 2, 9007199254740994.0),
                ("f_63", "9223372036854776000", 2.0**63, 2.0**63),
                ("g_huge", "1e+300", 1e300, 1e300),
                ("h_int32", "-2147483648", -(2**31), -2147483648.0),
                ("i_uint32", "4294967296", 2**32, 4294967296.0),
            )
        },
        ("t", "n", "kind", 3, "e_past"),
    ),
    "cells_bigint": expected(
        {
            "t": table(
                "c_integer INTEGER,c_json TEXT,c_real REAL,c_text TEXT",
                ("a_small", 5, "5", 5.0, "5", {"c_text": 5}),
                (
                    *("b_53", 2**53 + 1, "9007199254740993", 9007199254740992.0),
                    *("9007199254740993", {"c_real": 2**53 + 1, "c_text": 2**53 + 1}),
                ),
                (
                    *("c_max", 2**63 - 1, "9223372036854775807", 2.0**63, "9223372036854775807"),
                    {"c_real": 2**63 - 1, "c_text": 2**63 - 1},
                ),
                (
                    *("d_min", -(2**63), "-9223372036854775808", -(2.0**63)),
                    *("-9223372036854775808", {"c_text": -(2**63)}),
                ),
                ("e_list", *["[9223372036854775807,5]"] * 4),
            )
        },
        ("t", "c_text", "kind", 5, "a_small"),
        ("t", "c_integer", "kind", 1, "e_list"),
        ("t", "c_real", "kind", 3, "b_53"),
    ),
    "cells_floats": expected(
        {
            "t": table(
                "r REAL!",
                ("a", 1.7976931348623157e308),
                ("b", 5e-324),
                ("c", 2.220446049250313e-16),
                ("d", 0.30000000000000004),
                ("e", 1e21),
                ("f", 0.5),
                ("g", 1 / 3),
                ("h", -2.2250738585072014e-308),
                ("i", 123456789.125),
                ("j", 0.10000000149011612),
            )
        }
    ),
    "cells_json_numbers": expected(
        {
            "t": table(
                "j TEXT!",
                (
                    "r1",
                    "[1,1.5,0,9007199254740991,9007199254740992,0.1,-7,100,true,false,null]",
                ),
            )
        }
    ),
    "cells_bytes": expected(
        {
            "t": table(
                "c_integer INTEGER,c_json TEXT,c_real REAL,c_tags TEXT,c_text TEXT",
                ("a", b"\1\2\xff", '"AQL/"', b"\1\2\xff", '"AQL/"', b"\1\2\xff"),
                ("b", b"", '""', b"", '""', b""),
                ("c", *['["AA==",{"k":"AQID"}]'] * 5),
            )
        },
        *(("t", f"c_{name}", "kind", 3, "a") for name in ("integer", "real", "text")),
        *(("t", f"c_{name}", "kind", 2, "a") for name in ("json", "tags")),
    ),
    "cells_text": expected(
        {
            "t": table(
                "c_json TEXT,c_text TEXT,c_ytext TEXT",
                ("r1", '"bold and plain"', "bold and plain", "bold and plain"),
                (
                    *("r2", j('line 1\nline 2 "quoted"'), 'line 1\nline 2 "quoted"'),
                    'row 🦜 \0001\nline 2 "quoted"',
                ),
            )
        }
    ),
    "cells_that_name_tables": expected(
        {"t": table("a TEXT!", ("r1", "table:t"), ("table:plain", "tables", {"table:u": 1}))}
    ),
    "cells_strings": expected(
        {
            "t": table(
                "a TEXT!,j TEXT!",
                *((key, text, j(text)) for key, text in zip("abcdefghijkl", _STRINGS, strict=True)),
            )
        }
    ),
    "cells_shared_types": expected(
        {
            "t": table(
                "j TEXT!,tags TEXT!",
                ("r1", _NESTED, '["a","b"]'),
                ("r2", '{"a":{"b":2,"y":[1]},"z":1}', _NESTED),
                ("r3", "{}", "[]"),
            )
        }
    ),
    "cells_xml": expected(
        {
            "t": table(
                "c_json TEXT,c_richtext TEXT,c_text TEXT",
                *(
                    (key, j(text), text, text)
                    for key, text in zip(
                        ("a_fragment", "b_element", "c_text", "d_empty", "e_element"),
                        _FRAGMENT,
                        strict=True,
                    )
                ),
            )
        }
    ),
    "cells_hooks": expected(
        {
            "t": table(
                "a TEXT,j TEXT",
                ("r1", _HOOK, _HOOK),
                ("r2", "[object Object]words", f"[{_HOOK}]"),
                ("r3", "kept", None),
                ("r4", "a row", None, {"more": {"n": 1}, "src": "x"}),
            )
        },
        ("t", "a", "kind", 1, "r1"),
    ),
    "cells_empty_embeds": expected(
        {
            "t": table(
                "a TEXT,b TEXT",
                ("alone", "", "abc"),
                ("first", "zzabc", "zzabc"),
                ("formatted", "abyc", "abyc"),
                ("last", "abc", "abc"),
                ("middle", "azzbc", "azzbc"),
            )
        },
    ),
    "cells_subdocument": expected(
        {
            "t": table(
                "c_integer INTEGER,c_json TEXT,c_richtext TEXT,c_text TEXT",
                ("r1", 42, '"guid-3"', "guid-2", "guid-1", {"c_integer": "42"}),
            ),
            "u": table("body TEXT", ("r1", "guid-4")),
        },
        ("t", "c_integer", "kind", 1, "r1"),
    ),
    "cells_deep": expected(
        {
            "t": table(
                "a TEXT,j TEXT,req TEXT",
                ("r1", "x", _deep(500), "1"),
                ("r2", None, None, None),
                ("r3", "y", "[1]", "3", {"fine": [[[]]], "more": None}),
                ("r4", None, None, None, "null"),
                ("r5", None, None, "5"),
            )
        },
        ("t", "a", "too_deep", 1, "r2"),
        ("t", "j", "too_deep", 2, "r2"),
        ("t", "req", "too_deep", 1, "r2"),
        ("t", "req", "missing", 2, "r2"),
        ("t", "more", "too_deep", 1, "r3"),
        ("t", None, "not_a_row", 1, "r4"),
        ("t", None, "too_deep", 1, "r4"),
    ),
    "cells_deep_shared": expected(
        {"t": table("j TEXT", ("r1", _deep(500)), ("r2", None))},
        ("t", "j", "too_deep", 1, "r2"),
        ("t", "j", "missing", 1, "r2"),
    ),
    "cells_deep_undeclared": expected(
        {"t": table("a TEXT,b INTEGER", ("r1", None, 1), ("r2", "[[]]", 2))},
        ("t", "a", "too_deep", 1, "r1"),
    ),
    "cells_json_keys": expected(
        {
            "t": table(
                "j TEXT!,s TEXT",
                ("r1", j([_ODD_KEYS]), "s", {"undeclared": [_ODD_KEYS]}),
                ("r2", '{"a":[{"y":2,"z":1}],"b":{"c":2,"d":1}}', None),
            )
        }
    ),
    "cells_wrong_kinds": expected(
        {
            "t": table(
                "c_boolean INTEGER,c_date TEXT,c_id TEXT,c_integer INTEGER,c_json TEXT,"
                "c_real REAL,c_richtext TEXT,c_select TEXT,c_tags TEXT,c_text TEXT,c_ytext TEXT",
                _everywhere("a_text", "word", "word", "word", '"word"', "word"),
                _everywhere("b_int", "7", 7, 7, "7", 7.0, extra=7),
                _everywhere("c_float", "2.5", 2.5, 2.5, "2.5", 2.5, extra=2.5),
                _everywhere("d_true", "1", 1, 1, "true", 1.0, extra=True),
                _everywhere("e_false", "0", 0, 0, "false", 0.0, extra=False),
                _everywhere("f_bytes", b"A", b"A", b"A", '"QQ=="', b"A"),
                _everywhere("g_list", *['["a",1]'] * 5),
                _everywhere("h_object", *['{"a":"x","b":1}'] * 5),
                ("i_null", *[None] * 11),
            )
        },
        *(("t", name, "kind", 7, "b_int") for name in _TEXT_TYPES),
        ("t", "c_boolean", "kind", 6, "a_text"),
        ("t", "c_integer", "kind", 7, "a_text"),
        ("t", "c_json", "kind", 1, "f_bytes"),
        ("t", "c_real", "kind", 6, "a_text"),
        ("t", "c_tags", "kind", 7, "a_text"),
    ),
    "cells_wrong_kinds_required": expected(
        {
            "t": table(
                "b INTEGER!,n INTEGER!,r REAL!,s TEXT!",
                ("r1", "no", "none", "nil", "0", {"s": 0}),
                ("r2", 1, 1, 1.0, "ok"),
            )
        },
        *(("t", name, "kind", 1, "r1") for name in "bnrs"),
    ),
    "cells_numeric_texts": expected(
        {
            "t": table(
                "b INTEGER!,n INTEGER!,r REAL!",
                _numeric("r00", "007", 7, 7.0),
                _numeric("r01", "7", 7, 7.0),
                _numeric("r02", " 7 ", 7, 7.0),
                _numeric("r03", "1e3", 1000, 1000.0),
                _numeric("r04", "0x10", "0x10", "0x10"),
                _numeric("r05", "9223372036854775808", 2.0**63, 2.0**63),
                _numeric("r06", "abc", "abc", "abc"),
                _numeric("r07", "", "", ""),
                _numeric("r08", "7.0", 7, 7.0),
                _numeric("r09", "7.5", 7.5, 7.5),
                _numeric("r10", "-0", 0, 0.0),
                _numeric("r11", "1e999", inf, inf),
                *(
                    _numeric(f"r{index}", text, text, text)
                    for index, text in enumerate(
                        ("12abc", "Infinity", "true", "1_000", "\u0664"), 12
                    )
                ),
            )
        },
        *(("t", name, "kind", 17, "r00") for name in "bnr"),
    ),
    "cells_date_object": expected(
        {"t": table("d TEXT!", ("r1", "2026-01-21"), ("r2", "{}"))}, ("t", "d", "kind", 1, "r2")
    ),
}
