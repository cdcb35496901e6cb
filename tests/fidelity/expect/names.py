"""Expected mirrors of the cases in ``cases/names.mjs``."""

from collections.abc import Mapping, Sequence

from tests.fidelity.expect.shapes import PLAIN_INFERRED, Line, Table, expected, table


def _named(*names: str) -> dict[str, Table]:
    """Describe what ``named`` of lib.mjs makes: the mirror's names, in the order of the maker."""
    return {
        name: table("a TEXT!", (f"k{index}", f"row of table {index}"))
        for index, name in enumerate(names)
    }


def _columns(*names: str) -> Table:
    """Describe what ``columns`` of names.mjs makes: one row, the mirror's column names."""
    values = {name: f"field {index}" for index, name in enumerate(names)}
    ordered = sorted(values)
    return table([f"{name} TEXT!" for name in ordered], ("r1", *(values[name] for name in ordered)))


def _renamed_tables(*names: str) -> Sequence[Line]:
    return [(name, None, "name", 0, None) for name in names]


def _renamed_fields(table_name: str, *fields: str) -> Sequence[Line]:
    return [(table_name, field, "name", 0, None) for field in fields]


def _with(tables: Mapping[str, Table], **more: Table) -> dict[str, Table]:
    return {**tables, **more}


_SQL_FIELDS = (
    *('a"b', "a'b", "a;b", "a]b", "a`b", 'x" TEXT, "y', "--", "/*", "?", ":id", "$1", "%s", "{0}"),
    *("\\", "a,b", "(a)"),
)
_KEYWORD_FIELDS = (
    *("from", "where", "NULL", "rowid", "_rowid_", "oid", "rank", "primary", "current_date"),
    *("true", "group"),
)

NAMES = {
    "names_sql": expected(
        _with(
            _named(
                *('robert\'); DROP TABLE "plain";--', 'a"b', "a'b", "a;b", "a]b", "a`b", "%s"),
                *("?1", ":a", "{x}"),
            ),
            t=_columns(*_SQL_FIELDS),
        )
    ),
    "names_nul": expected(
        _with(
            _named("a\ufffdb", "c\ufffdd_2", "c\ufffdd", "\ufffd"),
            t=_columns("a\ufffdb", "c\ufffdd_2", "c\ufffdd"),
        ),
        *_renamed_tables("a\ufffdb", "c\ufffdd_2", "\ufffd"),
        *_renamed_fields("t", "a\0b", "c\0d"),
    ),
    "names_empty": expected(_with(_named(""), t=_columns("", " "))),
    "names_sqlite": expected(
        _with(
            _named(
                *("_sqlite_master", "_sqlite_x", "_SQLite_Y", "_sqlite_taken_2", "_sqlite_taken"),
                *("sqlite", "sqlitex"),
            ),
            t=_columns("sqlite_x", "sqlite_master"),
        ),
        *_renamed_tables("_sqlite_master", "_sqlite_x", "_SQLite_Y", "_sqlite_taken_2"),
    ),
    "names_proto": expected(
        _with(
            _named("constructor", "toString"),
            __proto__=_columns("__proto__", "constructor", "hasOwnProperty", "length"),
        )
    ),
    "names_keywords": expected(
        _with(
            _named(
                *("select", "table", "ORDER", "null", "values", "main", "temp"),
                "pragma_table_info",
            ),
            group=_columns(*_KEYWORD_FIELDS),
        )
    ),
    "names_spaces": expected(
        _with(
            _named(" ", "two words", " lead", "trail ", "tab\there", "line\nbreak", "\u00a0"),
            t=_columns("two words", " lead", "trail ", "tab\there", "line\nbreak"),
        )
    ),
    "names_emoji": expected(
        _with(
            _named("🦜", "表", "Ünïcode", "עברית", "n" * 5000),
            t=_columns("👩‍👩‍👧", "列", "ß", "c" * 5000, "lone\ufffd"),
        )
    ),
    "names_case": expected(
        _with(
            _named("users_3", "Users_2", "USERS", "É", "é"),
            t=table(
                "NAME TEXT!,Name_2 TEXT,name_3 TEXT!,É TEXT,é TEXT",
                ("r1", "field 2", "field 1", "field 0", "field 3", "field 4"),
                ("r2", "upper", None, "lower", None, None),
            ),
        ),
        *_renamed_tables("Users_2", "users_3"),
        *_renamed_fields("t", "Name", "name"),
        *(("t", field, "missing", 1, "r2") for field in ("Name", "É", "é")),
    ),
    "names_case_taken": expected(
        _with(_named("Users", "users_4", "users_2", "USERS_3"), t=_columns("A", "a_3", "a_2")),
        *_renamed_tables("users_4"),
        *_renamed_fields("t", "a"),
    ),
    "names_id_beside": expected(
        {"t": _columns("ID_3", "Id_4", "id_2")}, *_renamed_fields("t", "ID", "Id")
    ),
    "names_unicode_twins": expected(
        _with(
            _named("caf\u00e9", "cafe\u0301"),
            t=_columns("\u00e9", "e\u0301", "\u212b", "\u00c5"),
        )
    ),
    "names_ours": expected(
        _with(
            _named("_mirror_2", "_mirror_tables_2", "_Mirrored_2", "_extra", "_"),
            t=table(
                "_EXTRA_3 TEXT,_extra_2 TEXT,_extra_4 TEXT!,_mirror TEXT",
                ("r1", "field 1", "field 3", "field 0", "field 2"),
                ("r2", None, None, "mine", None, {"undeclared": 1}),
            ),
        ),
        *_renamed_tables("_mirror_2", "_mirror_tables_2", "_Mirrored_2"),
        *_renamed_fields("t", "_EXTRA", "_extra"),
        *(("t", field, "missing", 1, "r2") for field in ("_EXTRA", "_extra_2", "_mirror")),
    ),
    "names_fts": expected(
        _with(
            _named("notes", "notes_fts", "notes_fts_data", "other_fts"),
            other=table(
                "body TEXT!,other TEXT!,rank TEXT!,rowid TEXT!",
                ("r1", "findable words", "searchable one", "y", "x"),
            ),
        )
    ),
    "names_undeclared": expected(
        {
            'T"1': table(
                [" TEXT", "ID_2 TEXT", "__proto__ TEXT", "_extra_2 INTEGER", "a\ufffd INTEGER"],
                ("r1", "empty", "x", "p", 1, 1),
            ),
            't"1_2': table("A INTEGER,a_2 INTEGER", ("r1", 1, 2)),
        },
        *_renamed_tables('t"1_2'),
        *_renamed_fields('T"1', "ID", "_extra", "a\0"),
        *_renamed_fields('t"1_2', "a"),
        plain=PLAIN_INFERRED,
    ),
}
