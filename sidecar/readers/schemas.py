"""Documents with the same tables, put together. Values in, values out."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from sidecar.reports import Schema, SchemaColumn, SchemaDocument, SchemaTable


def grouped(
    found: Sequence[tuple[SchemaDocument, tuple[SchemaTable, ...]]],
) -> list[Schema]:
    """Put documents together whose tables have the same columns, kinds, labels and options.

    Whether a column may be NULL follows from the rows, and so do counts, samples and problems;
    indexes are a setting. Those may differ, and are listed for all the documents together.
    """
    groups: dict[Any, list[tuple[SchemaDocument, tuple[SchemaTable, ...]]]] = {}
    for document, tables in found:
        key = msgspec.json.encode([_bare(table) for table in tables])
        groups.setdefault(key, []).append((document, tables))
    return [_schema(group) for group in groups.values()]


def _bare(table: SchemaTable) -> SchemaTable:
    columns = tuple(replace(one, nullable=True, samples=msgspec.UNSET) for one in table.columns)
    return SchemaTable(table.name, table.label, table.description, 0, columns)


def _schema(group: Sequence[tuple[SchemaDocument, tuple[SchemaTable, ...]]]) -> Schema:
    first = group[0][0]
    of_all = zip(*(tables for _, tables in group), strict=True)
    return Schema(
        workspace=first.workspace,
        epoch=first.epoch,
        path=first.path,
        documents=tuple(document for document, _ in group),
        mirror=first.mirror,
        tables=tuple(map(_together, of_all)),
    )


def _together(tables: Sequence[SchemaTable]) -> SchemaTable:
    """Tell of one table in several mirrors."""
    first = tables[0]
    same = {(table.index, table.indexed) for table in tables}
    index, indexed = (first.index, first.indexed) if len(same) == 1 else (None, ())
    extra = dict.fromkeys(key for table in tables for key in table.extra)
    columns = zip(*(table.columns for table in tables), strict=True)
    return replace(
        first,
        rows=sum(table.rows for table in tables),
        columns=tuple(map(_column, columns)),
        index=index,
        indexed=indexed,
        extra=tuple(extra),
        problems=sum(table.problems for table in tables),
    )


def _column(columns: Sequence[SchemaColumn]) -> SchemaColumn:
    first = columns[0]
    nullable = any(column.nullable for column in columns)
    if first.samples is msgspec.UNSET:
        return replace(first, nullable=nullable)
    samples: list[Any] = []
    for column in columns:
        for sample in column.samples or ():
            if sample not in samples and len(samples) < len(first.samples or ()) + 1:
                samples.append(sample)
    return replace(first, nullable=nullable, samples=tuple(samples))
