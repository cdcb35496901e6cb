"""What the commands report as JSON: the types of docs/protocol.md. Other modules print them."""

import binascii
import math
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from sidecar.errors import Code
from sidecar.files import shown
from sidecar.model import EXACT_INTEGER, Source

State = Literal["in_step", "stale", "missing", "damaged", "unreadable"]
VerifyResult = Literal["equal", "stale", "different", "damaged", "missing", "unreadable"]
Encoding = Literal["v1", "v2", "unknown"]

Json = Any
"""A cell as ``cell_to_json`` returns it. ``Any`` because no code of ours reads its content."""

MOST_DIFFERENCES = 100
"""Differences that a verification lists; it counts them all."""


class DocumentFields(msgspec.Struct, frozen=True, kw_only=True):
    """Which document; ``path`` is absolute, with U+FFFD where its bytes are no UTF-8."""

    workspace: str | None
    epoch: int | None
    path: str


class Status(DocumentFields, frozen=True, kw_only=True):
    """Where one document and its mirror stand.

    Attributes:
        mirror: Path of the mirror.
        state: ``unreadable`` concerns the document, ``missing`` and ``damaged`` the mirror.
        code: Why the document cannot be read.
        name: The workspace's, from head.yjs; None when that has no usable name.
        icon: As ``name``.
        current: Whether this is the workspace's current epoch.
        deleted: Whether registry.yjs no longer lists the workspace.
        tables: In the mirror, as are rows and problems.
        rows: Of all tables.
        problems: Lines of ``_mirror_problems``.
        warm: Whether a watch keeps the document in memory, so that its next edit is cheap.
        whole: Whether no problem is of a kind in ``model.NOT_WHOLE``.
        bytes: Size of the mirror, 0 when there is none.
        mirror_mtime_ms: When the mirror was published, Unix milliseconds.
        document_mtime_ms: When the document was written, 0 when it is not there.
        why: What makes the mirror stale or damaged, for people.
    """

    mirror: str
    state: State
    code: Code | None
    name: str | None
    icon: str | None
    current: bool
    deleted: bool
    tables: int
    rows: int
    problems: int
    whole: bool
    warm: bool
    bytes: int
    mirror_mtime_ms: int | None
    document_mtime_ms: int
    why: str | None


class Difference(msgspec.Struct, frozen=True):
    """One place where a mirror differs from its document.

    Attributes:
        table: Name in the mirror.
        row_id: None when the table or a column as a whole differs.
        column: None when a table or row is missing or surplus.
        expected: A cell; or a description, where ``row_id`` or ``column`` is None.
        actual: As ``expected``.
    """

    table: str
    row_id: str | None
    column: str | None
    expected: Json
    actual: Json


class Verification(DocumentFields, frozen=True, kw_only=True):
    """How a mirror compares with its document, cell by cell.

    Attributes:
        mirror: Path of the mirror.
        result: ``stale``: the document was changed since; ``different``: it was not, and the mirror
            differs; ``equal``: all that was compared is equal.
        whole: Whether all content of the document was compared, and none was repaired.
        unread: Problems of kind ``unreadable``; the content that they name was not compared.
        rows: Number of rows compared.
        cells: Number of cells compared.
        integrity: Result of SQLite's ``integrity_check``, None when it was not run.
        total: Number of differences.
        differences: The first ``MOST_DIFFERENCES``.
        code: Why the document cannot be read.
        message: The same for people.
        why: What makes the mirror stale or damaged, for people.
    """

    mirror: str
    result: VerifyResult
    whole: bool = True
    unread: int = 0
    rows: int = 0
    cells: int = 0
    integrity: str | None = None
    total: int = 0
    differences: tuple[Difference, ...] = ()
    code: Code | None = None
    message: str | None = None
    why: str | None = None


class SchemaColumn(msgspec.Struct, frozen=True):
    """One column of a mirror.

    Attributes:
        name: In the mirror.
        type: The kind that the app declared, None when it declared none.
        sqlite_type: The declared type in SQLite, "" for none.
        nullable: Whether it may hold NULL.
        label: The app's name for it.
        description: From the app.
        options: From the app, as JSON: the choices of a select, for example.
        samples: Some of its values, where samples were requested.
    """

    name: str
    type: str | None
    sqlite_type: str
    nullable: bool
    label: str | None
    description: str | None
    options: Json
    samples: tuple[Json, ...] | UnsetType = UNSET


class SchemaTable(msgspec.Struct, frozen=True):
    """One table of a mirror, with the app's label and description.

    Attributes:
        name: In the mirror.
        label: The app's name for it.
        description: From the app.
        rows: Number of rows, in all documents that have the table.
        columns: In their order.
        index: Its full-text index, None when it has none.
        indexed: The columns that are in it.
        extra: Names of the fields in ``_extra``, the most common first.
        problems: Lines about it in ``_mirror_problems``.
    """

    name: str
    label: str | None
    description: str | None
    rows: int
    columns: tuple[SchemaColumn, ...]
    index: str | None = None
    indexed: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    problems: int = 0


class SchemaDocument(DocumentFields, frozen=True, kw_only=True):
    """One of the documents that have the same tables.

    Attributes:
        name: The workspace's, None when head.yjs has none.
        current: Whether this is the workspace's current epoch.
        deleted: Whether registry.yjs no longer lists the workspace.
        mirror: Path of the mirror.
        mirror_mtime_ms: When that was published, Unix milliseconds.
        rows: Of all its tables.
    """

    name: str | None
    current: bool
    deleted: bool
    mirror: str
    mirror_mtime_ms: int | None
    rows: int


class Schema(DocumentFields, frozen=True, kw_only=True):
    """The tables of one mirror, or of several that have the same ones.

    Attributes:
        documents: All that have these tables; the schema's own document is the first of them.
        mirror: Path of the first one's mirror.
        tables: By name.
    """

    documents: tuple[SchemaDocument, ...]
    mirror: str
    tables: tuple[SchemaTable, ...]


class OutlineRoot(msgspec.Struct, frozen=True):
    """One root type of a document; ``kind`` is map, array, text, xml or unknown."""

    name: str
    kind: str


class Writer(msgspec.Struct, frozen=True):
    """One client that wrote to a document, and its clock."""

    client: int
    clock: int


class InspectedField(msgspec.Struct, frozen=True):
    """One field of a table.

    Attributes:
        name: In the document.
        type: As declared, None when it is not.
        nullable: As declared; true when it is not.
        kinds: Actual kind of the cells -> number of rows.
    """

    name: str
    type: str | None
    nullable: bool
    kinds: dict[str, int]


class InspectedTable(msgspec.Struct, frozen=True):
    """One table of a document.

    Attributes:
        name: In the document.
        declared: Whether a definition names its fields.
        rows: Number of rows, including those that are not maps.
        fields: Declared or seen, by name.
        odd_rows: Number of rows that are not maps.
    """

    name: str
    declared: bool
    rows: int
    fields: tuple[InspectedField, ...]
    odd_rows: int = 0


class InspectedHead(msgspec.Struct, frozen=True):
    """Content of a head.yjs; None for what it does not have.

    Attributes:
        name: For people.
        icon: As the app has it.
        description: As the app has it.
        epochs: Epoch by client; the highest is the current one.
        current: The current epoch.
    """

    name: str | None
    icon: str | None
    description: str | None
    epochs: dict[str, int]
    current: int | None


class InspectedWorkspace(msgspec.Struct, frozen=True):
    """One workspace of a registry.yjs; the name is from its head.yjs, None when that has none."""

    id: str
    name: str | None
    found: bool


class Inspection(msgspec.Struct, frozen=True):
    """What a file holds, as far as it can be read.

    Attributes:
        path: The file.
        bytes: Its size.
        encoding: Of the update.
        code: Why it cannot be read, None when it can.
        layouts: maps, keyed_arrays, cells, shape.
        roots: By name.
        writers: By client.
        tables: By name; of a file that cannot be decoded, what could be read.
        message: The reason for people.
        head: Content of a head.yjs.
        workspaces: Of a registry.yjs, those that are not deleted.
    """

    path: str
    bytes: int
    encoding: Encoding
    code: Code | None
    layouts: tuple[str, ...]
    roots: tuple[OutlineRoot, ...]
    writers: tuple[Writer, ...]
    tables: tuple[InspectedTable, ...]
    message: str | None = None
    head: InspectedHead | None = None
    workspaces: tuple[InspectedWorkspace, ...] | None = None


class CellDifference(msgspec.Struct, frozen=True):
    """One column of a row: its cells on the two sides, null where a side has no such column."""

    field: str
    a: Json
    b: Json


class RowDifference(msgspec.Struct, frozen=True):
    """A row that both sides have, with the cells that differ."""

    id: str
    cells: tuple[CellDifference, ...]


class TableDifference(msgspec.Struct, frozen=True):
    """A table that differs; ``added``, ``changed`` and ``removed`` are from a to b."""

    name: str
    change: Literal["added", "removed", "changed"]
    definition_changed: bool
    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[RowDifference, ...]


class Moment(msgspec.Struct, frozen=True):
    """One snapshot of a document.

    Attributes:
        unix_ms: When it was taken, by its file's name.
        description: The user's.
        bytes: Size of its file.
        code: Why it cannot be shown.
        rows: Of all tables, None when it cannot be shown.
        tables: Rows by table, by the names that a mirror of that moment has.
        message: The reason for people.
    """

    unix_ms: int
    description: str | None
    bytes: int
    code: Code | None
    rows: int | None
    tables: dict[str, int]
    message: str | None = None


class History(DocumentFields, frozen=True, kw_only=True):
    """A document's snapshots, oldest first.

    Attributes:
        exact: False when the document has collected garbage: what was deleted before it was last
            saved is missing from every moment.
        snapshots: Those beside the document.
    """

    exact: bool
    snapshots: tuple[Moment, ...]


class Hit(DocumentFields, frozen=True, kw_only=True):
    """A row that a search found.

    Attributes:
        mirror: Path of the mirror.
        table: Name in the mirror.
        id: The row's.
        column: Column of the snippet.
        snippet: The text around the hits.
        marks: Start and end of each hit in the snippet, in code points.
        rank: Lower is better: FTS5's bm25, or the negative number of hits where no word is indexed.
    """

    mirror: str
    table: str
    id: str
    column: str
    snippet: str
    marks: tuple[tuple[int, int], ...]
    rank: float


def doc_fields(source: Source) -> dict[str, Any]:
    """Return the fields that name the document in every report."""
    workspace = None if source.workspace is None else shown(source.workspace)
    return {"workspace": workspace, "epoch": source.epoch, "path": shown(source.document)}


def cell_to_json(value: Json) -> Json:
    """Return a SQLite value (None, int, float, str, bytes) as JSON without loss."""
    if isinstance(value, bytes):
        return {"$bytes": binascii.b2a_base64(value, newline=False).decode("ascii")}
    if isinstance(value, int) and not -EXACT_INTEGER <= value <= EXACT_INTEGER:
        return {"$int": str(value)}
    if isinstance(value, float) and not math.isfinite(value):
        return {"$real": "Infinity" if value > 0 else "-Infinity"}
    return value
