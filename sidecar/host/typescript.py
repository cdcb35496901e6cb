"""The protocol's types as TypeScript and JSON Schema, made from the classes. No I/O."""

import textwrap
from collections.abc import Iterator
from inspect import cleandoc
from typing import Any, get_args

import msgspec
from msgspec import inspect

from sidecar.errors import Code
from sidecar.host.protocol import EVENTS, Command
from sidecar.reports import DocumentFields, Status

_WIDTH = 98
_HARD_SPACE = "\N{NO-BREAK SPACE}"
_CODES = set(get_args(Code))
_NAMED: dict[Any, str] = {DocumentFields: "Doc", Status: "Status", Command: "Command"}
_PLAIN: dict[type[inspect.Type], str] = {
    inspect.StrType: "string",
    inspect.IntType: "number",
    inspect.FloatType: "number",
    inspect.BoolType: "boolean",
    inspect.NoneType: "null",
}


def typescript() -> str:
    """Return the types of the protocol as one block of TypeScript."""
    codes = " | ".join(f'"{code}"' for code in get_args(Code))
    lines = [f"export type Code = {codes};"]
    for struct, name in _NAMED.items():
        lines.append(f"export type {name} = {{ {_fields(_struct(struct))} }};")
    lines.append("export type Event =")
    events = [f'| {{ type: "{_struct(e).tag}"; {_fields(_struct(e))} }}' for e in EVENTS]
    blocks = [_wrap(line, "") for line in lines] + [_wrap(event, "  ") for event in events]
    return "\n".join(blocks) + ";\n"


def json_schema() -> dict[str, Any]:
    """Return one schema: a line of stdout is an ``Event``, a line of stdin a ``Command``."""
    types = [*EVENTS, Command]
    _, definitions = msgspec.json.schema_components(types, ref_template="#/$defs/{name}")
    for definition in definitions.values():
        if "description" in definition:  # Python 3.13 takes the indentation out, older ones do not
            definition["description"] = cleandoc(definition["description"])
    events = [{"$ref": f"#/$defs/{event.__name__}"} for event in EVENTS]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "epicenter-sidecar host protocol, version 1",
        "description": "One JSON value a line: events on stdout, commands on stdin.",
        "oneOf": [{"$ref": "#/$defs/Event"}, {"$ref": "#/$defs/Command"}],
        "$defs": {**definitions, "Event": {"oneOf": events}},
    }


def _struct(struct: type[msgspec.Struct]) -> inspect.StructType:
    info = inspect.type_info(struct)
    if not isinstance(info, inspect.StructType):
        raise TypeError(struct)
    return info


def _fields(struct: inspect.StructType) -> str:
    """Return the fields; their own spaces are unbreakable until the lines are wrapped."""
    return "; ".join(_field(field).replace(" ", _HARD_SPACE) for field in struct.fields)


def _field(field: inspect.Field) -> str:
    """Return one field; it is optional when it may be absent and we do not fill it in.

    A default of None says the same in a command, whose fields are never null.
    """
    parts = list(_parts(field.type))
    is_optional = not field.required and field.name not in {"v", "time"}
    if is_optional and field.default is None:
        parts.remove("null")
    return f"{field.encode_name}{'?' if is_optional else ''}: {' | '.join(parts)}"


def _type(type_: inspect.Type) -> str:
    return " | ".join(_parts(type_))


def _parts(type_: inspect.Type) -> Iterator[str]:
    """Yield the members of a union, once each; null last, as people write it."""
    if isinstance(type_, inspect.UnionType):
        members = [part for member in type_.types for part in _parts(member)]
        unique = dict.fromkeys(members)
        yield from sorted(unique, key=lambda part: part == "null")
    elif isinstance(type_, inspect.LiteralType) and set(type_.values) == _CODES:
        yield "Code"
    elif isinstance(type_, inspect.LiteralType):
        yield from (msgspec.json.encode(value).decode() for value in type_.values)
    elif isinstance(type_, (inspect.CollectionType, inspect.VarTupleType)):
        yield f"{_type(type_.item_type)}[]"
    elif isinstance(type_, inspect.DictType):
        yield f"{{ [table: string]: {_type(type_.value_type)} }}"
    elif isinstance(type_, inspect.StructType):
        yield _NAMED.get(type_.cls) or f"{{ {_fields(type_)} }}"
    else:
        yield _PLAIN[type(type_)]


def _wrap(line: str, indent: str) -> str:
    return textwrap.fill(
        line,
        width=_WIDTH,
        initial_indent=indent,
        subsequent_indent=indent + "  ",
        break_long_words=False,
        break_on_hyphens=False,
    ).replace(_HARD_SPACE, " ")
