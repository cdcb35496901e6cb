"""``schema``: tables and columns as compact text, for people and prompts."""

import json
import os
from collections.abc import Sequence

import msgspec

from sidecar.commands import FAILED, OK
from sidecar.commands.arguments import Arguments, Parser, add_paths, counted, settings_of
from sidecar.commands.layout import fold
from sidecar.commands.render import age, name_of, print_hanging, print_json, print_line
from sidecar.commands.targets import command_line, mirrors_of
from sidecar.commands.terminal import complain, escape, plural, say
from sidecar.document.standing import standing_of
from sidecar.errors import MirrorDamagedError
from sidecar.files import shown
from sidecar.mirror.describe import read_tables
from sidecar.model import Source
from sidecar.readers.members import published_ms
from sidecar.readers.row_types import row_types
from sidecar.readers.schemas import grouped
from sidecar.reports import Schema, SchemaColumn, SchemaDocument, SchemaTable, doc_fields
from sidecar.settings import CHOICE

EXAMPLES = (
    "epicenter-sidecar schema ~/.local/share/com.example.app",
    "epicenter-sidecar schema path/to/tables.sqlite --samples 3",
    "epicenter-sidecar schema . --typescript > rows.ts",
    "epicenter-sidecar schema . | llm 'Which clients owe us money? In SQL.'",
)

_EXTRA = "_extra"
_WIDTH = 76
_ADVICE = {
    "boolean": "boolean: 0, 1 or NULL.",
    "tags": "tags: a JSON array of texts; SELECT value FROM t, json_each(t.tags).",
    "json": "json: JSON text; json_extract(column, '$.key').",
    "date": "date: ISO 8601 in UTC, then | and a time zone; substr(column, 1, 24) compares.",
}


class SchemaReport(msgspec.Struct, frozen=True):
    """What ``--json`` prints."""

    documents: tuple[Schema, ...]


def add_arguments(parser: Parser) -> None:
    """Add what ``schema`` takes."""
    add_paths(parser, CHOICE, places="a mirror, a document, or a folder of them")
    parser.add_argument(
        "--samples", type=counted, metavar="N", help="show N distinct values of each column"
    )
    parser.add_argument("--json", action="store_true", help="one JSON value")
    parser.add_argument(
        "--typescript", action="store_true", help="print the types of rows for TypeScript programs"
    )


def run(arguments: Arguments) -> int:
    """Print the schema of every mirror, equal ones once; 1 when there is none."""
    settings = settings_of(arguments)
    sources = mirrors_of(settings)
    built = [source for source in sources if os.path.lexists(source.mirror)]
    found = grouped([one for source in built for one in _described(source, arguments.samples)])
    if arguments.json:
        print_json(SchemaReport(tuple(found)))
    elif arguments.typescript:
        say(row_types(found).rstrip("\n"))
    elif found:
        _print(found)
    if len(built) < len(sources) or not found:
        some = f"{plural(len(sources) - len(built), 'document')} without a mirror"
        lacking = some if built else "no mirrors yet"
        complain(f"{lacking}; build them with: {command_line('sync', settings)}")
    return OK if found else FAILED


def _described(
    source: Source, samples: int | None
) -> list[tuple[SchemaDocument, tuple[SchemaTable, ...]]]:
    try:
        tables = read_tables(source.mirror, samples)
    except MirrorDamagedError as error:
        complain(error.message)
        return []
    standing = standing_of(source)
    document = SchemaDocument(
        **doc_fields(source),
        name=standing.name,
        current=standing.current,
        deleted=standing.deleted,
        mirror=shown(source.mirror),
        mirror_mtime_ms=published_ms(source.mirror),
        rows=sum(table.rows for table in tables),
    )
    return [(document, tables)]


def _print(found: Sequence[Schema]) -> None:
    print_line("# SQLite mirrors, read-only; ask: epicenter-sidecar query PATH SQL")
    kinds = {column.type for schema in found for table in schema.tables for column in table.columns}
    for kind, advice in _ADVICE.items():
        if kind in kinds:
            print_line(f"# {advice}")
    if sum(len(schema.documents) for schema in found) > 1:
        print_line("# Over several, rows begin with _workspace, _workspace_name, _epoch.")
    for schema in found:
        print_line()
        _print_documents(schema.documents)
        for table in schema.tables:
            _print_table(table)


def _print_documents(documents: Sequence[SchemaDocument]) -> None:
    """Print which documents have the tables below; what holds of all of them only once."""
    ages = [_age(document) for document in documents]
    same = ages[0] if len(set(ages)) == 1 else ""
    published = f", published {same}" if same else ""
    if len(documents) == 1:
        _print_remark(f"{_document(documents[0])}{published}: {documents[0].mirror}")
        return
    _print_remark(f"{plural(len(documents), 'document')}{published}:")
    for document, age_ in zip(documents, ages, strict=True):
        _print_remark("  " + _document(document, *([] if same else [age_])))


def _print_remark(text: str) -> None:
    """Print a line of the prompt that is no table; a long one goes on below it."""
    indent = " " * (len(text) - len(text.lstrip()))
    for number, line in enumerate(fold(escape(text.lstrip()), _WIDTH - len(indent))):
        say(f"# {indent}{'  ' if number else ''}{line}")


def _document(document: SchemaDocument, *facts: str) -> str:
    """Return a document's name with the columns that identify it in a query."""
    marks = [
        *(["not current"] if not document.current else []),
        *(["deleted"] if document.deleted else []),
        *filter(None, facts),
    ]
    parts = [name_of(document), document.name or "", f"({', '.join(marks)})" if marks else ""]
    return " ".join(part for part in parts if part)


def _age(document: SchemaDocument) -> str:
    return "" if document.mirror_mtime_ms is None else age(document.mirror_mtime_ms)


def _print_table(table: SchemaTable) -> None:
    about = _about(table.label, table.description, table.name)
    print_line(f"{_quoted(table.name)} ({plural(table.rows, 'row')}){about}")
    for column in table.columns:
        if column.name != _EXTRA:
            print_hanging("  " + _column(column), indent="      ")
    if table.extra:
        print_line(f"  _extra TEXT json: {', '.join(map(_quoted, table.extra))}")
    if table.index:
        print_line(f"  full-text index {_quoted(table.index)}: {', '.join(table.indexed)}")
    if table.problems:
        problems = plural(table.problems, "line")
        print_line(f"  {problems} in _mirror_problems; epicenter-sidecar problems explains them")


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
    """Return a name, quoted if SQL requires it."""
    plain = name.isascii() and name.isidentifier()
    return name if plain else '"' + name.replace('"', '""') + '"'


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
