"""``schema``: tables and columns as compact text, for people and prompts."""

import json
import os

import msgspec

from sidecar.commands import FAILED, OK
from sidecar.commands.arguments import Arguments, Parser, add_paths, counted, settings_of
from sidecar.commands.render import name_of, print_json, print_line
from sidecar.commands.targets import mirrors_of
from sidecar.commands.terminal import complain, plural
from sidecar.errors import MirrorDamagedError
from sidecar.files import shown
from sidecar.mirror.describe import read_tables
from sidecar.model import Source
from sidecar.reports import Schema, SchemaColumn, SchemaTable, doc_fields
from sidecar.settings import CHOICE

EXAMPLES = (
    "epicenter-sidecar schema ~/.local/share/com.example.app",
    "epicenter-sidecar schema path/to/tables.sqlite --samples 3",
    "epicenter-sidecar schema . | llm 'Which clients owe us money? Answer with SQL.'",
)

_EXTRA = "_extra"
_ADVICE = {
    "boolean": "boolean: 0, 1 or NULL.",
    "tags": "tags: a JSON array of texts; SELECT value FROM t, json_each(t.tags).",
    "json": "json: JSON text; json_extract(column, '$.key').",
    "date": "date: text, ISO 8601 in UTC, then | and a time zone; substr(column, 1, 24) compares.",
}


class SchemaReport(msgspec.Struct, frozen=True):
    """What ``--json`` prints."""

    documents: tuple[Schema, ...]


def add_arguments(parser: Parser) -> None:
    """Add what ``schema`` takes."""
    add_paths(parser, CHOICE, places="a mirror, a document, or a folder of them")
    parser.add_argument(
        "--samples", type=counted, metavar="N", help="show N different values of each column"
    )
    parser.add_argument("--json", action="store_true", help="one JSON value")


def run(arguments: Arguments) -> int:
    """Print the schema of every mirror; 1 when there is none."""
    settings = settings_of(arguments)
    sources = mirrors_of(settings)
    found = [schema for source in sources for schema in _schema(source, arguments.samples)]
    if arguments.json:
        print_json(SchemaReport(tuple(found)))
    else:
        for schema in found:
            _print(schema)
    if not found:
        complain(f"no mirrors in {', '.join(map(shown, settings.roots))}; run sync to build them")
    return OK if found else FAILED


def _schema(source: Source, samples: int | None) -> list[Schema]:
    if not os.path.lexists(source.mirror):
        complain(f"{shown(source.document)} has no mirror yet; run sync to build it")
        return []
    try:
        tables = read_tables(source.mirror, samples)
    except MirrorDamagedError as error:
        complain(error.message)
        return []
    return [Schema(**doc_fields(source), mirror=shown(source.mirror), tables=tables)]


def _print(schema: Schema) -> None:
    print_line(f"# {name_of(schema)}: SQLite, read-only, {schema.mirror}")
    kinds = {column.type for table in schema.tables for column in table.columns}
    for kind, advice in _ADVICE.items():
        if kind in kinds:
            print_line(f"# {advice}")
    for table in schema.tables:
        _print_table(table)
    print_line()


def _print_table(table: SchemaTable) -> None:
    about = _about(table.label, table.description, table.name)
    print_line(f"{_quoted(table.name)} ({plural(table.rows, 'row')}){about}")
    for column in table.columns:
        if column.name != _EXTRA:
            print_line("  " + _column(column))


def _column(column: SchemaColumn) -> str:
    words = [_quoted(column.name), column.sqlite_type or "any"]
    if column.type and column.type.upper() not in {column.sqlite_type, "TEXT", "ID"}:
        words.append(column.type)
    if not column.nullable:
        words.append("primary key" if column.name == "id" else "not null")
    text = " ".join(words) + _about(column.label, column.description, column.name)
    if column.options is not None:
        text += f"; options {_json(column.options)}"
    if isinstance(column.samples, tuple) and column.samples:
        as_it_is = column.type in {"tags", "json"}
        text += "; such as " + ", ".join(
            str(sample) if as_it_is else _json(sample) for sample in column.samples
        )
    return text


def _about(label: str | None, description: str | None, name: str) -> str:
    parts = [label if label != name else None, description]
    text = ": ".join(part for part in parts if part)
    return f" -- {text}" if text else ""


def _quoted(name: str) -> str:
    """Give a name as SQL needs it."""
    plain = name.isascii() and name.isidentifier()
    return name if plain else '"' + name.replace('"', '""') + '"'


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
