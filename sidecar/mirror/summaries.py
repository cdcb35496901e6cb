"""What is kept of each chunk of rows, so that a table's schema and problems follow from its chunks.

Types, NOT NULLs and problems of a table depend on all its rows. When one row has changed, the
chunk that it belongs to is looked at again, and the others are believed.
"""

from collections.abc import Collection, Iterable, Sequence

import msgspec

from sidecar.mirror.schema import Kind, TableSchema, sqlite_type
from sidecar.model import Problem

ProblemLine = tuple[str | None, str, int, str | None, str | None]
"""Field, kind, number of rows, first row, detail."""

RowProblemLine = tuple[str | None, str, str | None]
"""Of one row: field, kind, detail."""


class Summary(msgspec.Struct, frozen=True):
    """What was met in the rows of one chunk. Fields have their names in the document.

    Attributes:
        fields: Those that some row has a value in; of a table without declared fields.
        kinds: The kinds of each field's cells, null apart.
        nulls: Fields that are null somewhere.
        problems: One line for each field and kind.
    """

    fields: tuple[str, ...] = ()
    kinds: dict[str, tuple[Kind, ...]] = {}
    nulls: tuple[str, ...] = ()
    problems: tuple[ProblemLine, ...] = ()


def summarize(
    schema: TableSchema,
    kinds: Sequence[Collection[Kind]],
    nullable: Sequence[bool],
    problems: Iterable[ProblemLine] = (),
) -> Summary:
    """Summarise the rows of a chunk.

    Args:
        schema: Their table.
        kinds: For each column the kinds of its cells, null apart.
        nullable: For each column whether it has a null.
        problems: What could not be shown as asked.
    """
    names = [column.source for column in schema.columns]
    found = {name: tuple(sorted(own)) for name, own in zip(names, kinds, strict=True) if own}
    return Summary(
        fields=() if schema.table.declared else tuple(sorted(found)),
        kinds=found,
        nulls=tuple(name for name, is_null in zip(names, nullable, strict=True) if is_null),
        problems=tuple(problems),
    )


class ChunkLine(msgspec.Struct, frozen=True):
    """One chunk as it stands in ``_mirror_chunks``, without the name of its table."""

    first_id: str
    rows: int
    digest: str
    summary: str


class Problems:
    """Problems of a table or chunk, one line for each field and kind: how many rows, the first."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str | None, str], ProblemLine] = {}

    def add(
        self, field: str | None, kind: str, row_id: str | None, detail: str | None, rows: int = 1
    ) -> None:
        """Count a problem; the first row by its id, and its detail, are kept."""
        count, first, shown = self._lines.get((field, kind), (field, kind, 0, row_id, detail))[2:]
        if row_id is not None and first is not None and row_id < first:
            first, shown = row_id, detail
        self._lines[field, kind] = (field, kind, count + rows, first, shown)

    def add_row(self, row_id: str, problems: Iterable[RowProblemLine]) -> None:
        """Count the problems of one row."""
        for field, kind, detail in problems:
            self.add(field, kind, row_id, detail)

    def counted(self) -> list[ProblemLine]:
        """Give all lines, sorted by field and kind."""
        return sorted(
            self._lines.values(), key=lambda line: (line[0] is not None, line[0] or "", line[1])
        )


def columns_of(schema: TableSchema, summaries: Sequence[Summary]) -> list[tuple[str, bool]]:
    """Give each column of a table its SQLite type and whether it may be null."""
    nulls = {name for summary in summaries for name in summary.nulls}
    kinds: dict[str, set[Kind]] = {column.source: set() for column in schema.columns}
    for summary in summaries:
        for name, found in summary.kinds.items():
            kinds[name].update(found)
    return [
        (sqlite_type(column, kinds[column.source]), column.source in nulls or not column.required)
        for column in schema.columns
    ]


def problems_of_table(schema: TableSchema, summaries: Iterable[Summary]) -> list[Problem]:
    """Give the problems of a table: its own, and those of its rows."""
    problems = Problems()
    for own in schema.problems:
        problems.add(own.field, own.kind, own.row_id, own.detail, own.rows)
    for summary in summaries:
        for field, kind, rows, row_id, detail in summary.problems:
            problems.add(field, kind, row_id, detail, rows)
    return [
        Problem(schema.name, field, kind, rows, row_id, detail)
        for field, kind, rows, row_id, detail in problems.counted()
    ]


def encode(summary: Summary) -> str:
    """Write a summary as it stands in ``_mirror_chunks``."""
    return _encode(summary).decode()


def decode(text: str) -> Summary:
    """Read a summary.

    Raises:
        ValueError: Somebody else wrote it.
    """
    return _decode(text)


_encode = msgspec.json.Encoder(order="sorted").encode
_decode = msgspec.json.Decoder(Summary).decode
