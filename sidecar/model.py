"""The values every room speaks: what a document holds, its problems, how a sync ended."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, TypeGuard, cast

import msgspec

from sidecar.errors import Code
from sidecar.files import FileVersion

# A cell as the mirror sees it: null, boolean, integer within int64, float, text, bytes, or a
# canonical JSON container (list or dict of the same without bytes, NaN and infinities).
# ``Any`` because JSON containers nest and type checkers gain nothing from the recursion here.
Cell = Any

ROWS_PER_CHUNK = 1000
"""Rows that are walked and inserted at a time, so that memory stays bounded. (The chunks that have
digests in a mirror are others: see ``digests.pieces``.)"""

JSON_DEPTH = 500
"""Deepest JSON that is shown. SQLite's own JSON functions refuse more than 1000 levels."""

NOT_WHOLE = ("unreadable", "waiting", "repaired")
"""Kinds of problems of a document whose mirror does not show all that is in it, as it is."""

UNREADABLE = NOT_WHOLE[0]

LONG_ARRAY = 64
"""Structs from which on an array is lifted (``yjs.lift``); shorter ones are soon read by index."""

EXACT_INTEGER = 2**53
"""Largest magnitude up to which every integer is a JavaScript number."""


class Problem(msgspec.Struct, frozen=True):
    """Something of the user's that the mirror could not show as asked.

    Attributes:
        table: The table's name in the document, None for the document as a whole.
        field: The field's name in the document, None for the row or table.
        kind: ``name``, ``missing``, ``kind`` and the others of docs/format.md.
        rows: Number of rows concerned, 0 when no single row is.
        row_id: Key of the first such row in id order.
        detail: One example or the reason, for people.
    """

    table: str | None
    field: str | None
    kind: str
    rows: int = 0
    row_id: str | None = None
    detail: str | None = None


class FieldDefinition(msgspec.Struct, frozen=True):
    """One declared field. Every value but the name is the user's and may be absent."""

    name: str
    type: str | None
    nullable: bool = False
    label: str | None = None
    description: str | None = None
    icon: str | None = None
    options: Cell = None


class TableDefinition(msgspec.Struct, frozen=True):
    """What somebody declared of a table.

    Attributes:
        fields: The declared fields, None when there is no map of them.
        canonical: All of the definition as plain JSON, for the digest.
    """

    fields: tuple[FieldDefinition, ...] | None
    canonical: Cell
    label: str | None = None
    description: str | None = None
    icon: str | None = None


class RowProblem(msgspec.Struct, frozen=True, array_like=True):
    """A problem found in one row while it was read."""

    row_id: str
    field: str | None
    kind: str
    detail: str | None = None


class Chunk(msgspec.Struct, frozen=True, array_like=True):
    """Up to ``ROWS_PER_CHUNK`` rows of one table, by column, sorted by id.

    Attributes:
        ids: The row keys.
        columns: One sequence of cells for each of the table's fields, as long as ``ids``.
        extras: For each row what has no column: None, a dict by field, or for a row that is no
            map the one-element list of its value.
        problems: What could not be read as asked in these rows.
    """

    ids: list[str]
    columns: list[list[Cell]]
    extras: list[Cell]
    problems: list[RowProblem]


Layout = Literal["maps", "keyed_arrays", "cells", "tinybase", "shape"]
"""How a table was recognised; ``shape`` where no layout that we know claims its root."""

RootKind = Literal["map", "array", "text", "xml", "unknown"]


class Table(msgspec.Struct, frozen=True):
    """One table of the document. Rows are produced on demand, once, sorted by id.

    Attributes:
        name: The name in the document.
        layout: Where it was found.
        definition: None when nobody declared it.
        fields: Names of the fields that get a column, in code point order, without ``id``.
        chunks: Starts the walk over the rows.
        problems: What is wrong with the definition.
        root: Name of the root that holds the rows.
        edited: Keys of the rows that changed, appeared or went since ``Workspace.base``; None
            where that is not known and all of them may have.
        pick: Walks the rows of some keys, sorted, and passes over those that are not there; None
            where ``edited`` is. It may be asked any number of times.
    """

    name: str
    layout: Layout
    definition: TableDefinition | None
    fields: tuple[str, ...]
    chunks: Callable[[], Iterator[Chunk]]
    problems: tuple[Problem, ...] = ()
    root: str = "tables"
    edited: frozenset[str] | None = None
    pick: Callable[[Sequence[str]], Chunk] | None = None

    @property
    def declared(self) -> tuple[FieldDefinition, ...] | None:
        """The declared fields; None when columns are inferred from the rows."""
        return self.definition.fields if self.definition else None


class Root(msgspec.Struct, frozen=True):
    """One root of the document, and what became of it; its tables name it.

    Attributes:
        name: Its name in the document.
        kind: What it is; ``unknown`` where nothing in it is left that could tell.
        layout: The layout that claims it, None when it is listed and not shown.
        entries: Keys of a map, elements of an array, 0 of others.
        text: All of a text or XML fragment.
    """

    name: str
    kind: RootKind
    layout: Layout | None
    entries: int
    text: str | None = None


class Workspace(msgspec.Struct, frozen=True):
    """What one document holds.

    Attributes:
        layouts: The layouts found, in a fixed order.
        tables: Sorted by name in code point order, maps first.
        state_vector: client -> clock, of the whole document.
        problems: Those of no single table.
        roots: Every root, sorted by name.
        base: Digest of the bytes of the document that the mirror was made of which ``Table.edited``
            builds on; None for a document that was decoded afresh.
        notes: What a builder of mirrors wants to find again at the next edit, such as digests of
            rows. It lives as long as the document stays warm; None where nothing does.
    """

    layouts: tuple[str, ...]
    tables: tuple[Table, ...]
    state_vector: dict[int, int]
    problems: tuple[Problem, ...] = ()
    roots: tuple[Root, ...] = ()
    base: str | None = None
    notes: dict[Any, Any] | None = None


class Source(msgspec.Struct, frozen=True, order=True):
    """Where one document lives and where its mirror goes: absolute paths, surrogate-escaped."""

    document: str
    mirror: str
    workspace: str | None
    epoch: int | None


class Selection(msgspec.Struct, frozen=True):
    """Which of the files below the roots are documents, and where their mirrors go.

    Attributes:
        documents: GLOBs of the names of documents.
        into: Folder below which mirrors stand at the same relative paths; None for beside them.
        workspace: Id of the only workspace that counts; None for all.
        epoch: The only epoch that counts; None for all.
    """

    documents: tuple[str, ...] = ("workspace.yjs",)
    into: str | None = None
    workspace: str | None = None
    epoch: int | None = None


AUTO = "auto"
"""The word of ``Options.tables`` by which every root is shown by its shape."""


class Options(msgspec.Struct, frozen=True):
    """What may differ from one sync to the next.

    Attributes:
        fts: None keeps the mirror's own setting; () turns full-text search off; ("*",) indexes
            every declared text column; otherwise TABLE.FIELD names.
        last_good: Whether a collapsed mirror is kept as tables.last-good.sqlite.
        max_document_bytes: Larger documents are refused, code ``too_large``.
        state_folder: Where the locks live.
        tables: What is shown beside the known layouts. None keeps the mirror's own setting;
            ("auto",) shows every root by its shape, ("none",) none; otherwise patterns of names.
        in_place: Whether the new mirror is copied into the file that is there, for readers that
            keep it open; None keeps the mirror's own setting.
        row_ids: Whether events say which rows changed, not only how many.
    """

    state_folder: str
    fts: tuple[str, ...] | None = None
    last_good: bool = True
    tables: tuple[str, ...] | None = None
    in_place: bool | None = None
    row_ids: bool = False
    max_document_bytes: int = 1024 * 1024 * 1024


UnchangedReason = Literal["bytes", "content"]
RebuiltReason = Literal[
    "changed", "missing", "damaged", "foreign", "options", "format", "forced", "elsewhere"
]


class Changes(msgspec.Struct, frozen=True):
    """Tables by which two mirrors differ, by their names in the mirror, sorted."""

    changed: tuple[str, ...]
    removed: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.changed or self.removed)


class RowIds(msgspec.Struct, frozen=True):
    """Which rows of one table differ, sorted; ``truncated`` when there are more than these."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    truncated: bool


class RowChanges(msgspec.Struct, frozen=True):
    """How many rows of one table differ between two mirrors, and which if that was asked for."""

    added: int
    changed: int
    removed: int
    ids: RowIds | None = None


class Collapse(msgspec.Struct, frozen=True):
    """A mirror with rows was about to be lost; ``kept`` is the path of the copy."""

    rows_before: int
    kept: str


class Unchanged(msgspec.Struct, frozen=True, tag="unchanged"):
    """The mirror is in step and was not touched.

    Attributes:
        reason: Equal bytes, or equal content.
        digest: Digest of the document's bytes, to be remembered.
        mirror: The mirror that was found in step.
    """

    reason: UnchangedReason
    digest: str
    mirror: FileVersion | None = None


class Rebuilt(msgspec.Struct, frozen=True, tag="rebuilt"):
    """A new mirror stands in place.

    Attributes:
        rows: Rows of all tables.
        problems: Lines in ``_mirror_problems``.
        regressed: The document's state vector went back.
        ms: Milliseconds from the start of the read to the published mirror.
        rows_changed: Of each changed table; None where there was no mirror to compare with.
        warm: A live document took in what is new, instead of a fresh decode.
        road: How the document was read, for the log: ``warm``, or why it was decoded afresh.
        note: Of a mirror of another process that is left as it is, for people: why.
        mirror: The mirror that this sync left in place; what is there later may be another one.
    """

    reason: RebuiltReason
    changes: Changes
    rows: int
    problems: int
    regressed: bool
    ms: int
    digest: str
    collapse: Collapse | None = None
    rows_changed: dict[str, RowChanges] | None = None
    warm: bool = False
    road: str = ""
    note: str = ""
    mirror: FileVersion | None = None


Effect = Literal["retry", "slow", "later", "same", "once", "gone"]


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """The old mirror stays.

    Attributes:
        effect: ``retry`` soon (the host is writing), ``slow`` retry (disk, locks), ``later`` retry
            (its worker ended at it), ``same`` (it has the bytes that failed last time, and was not
            tried), ``once`` (this version of the document is no good), ``gone`` (the document is
            not there).
        version: The file that failed, so that it is reported once; None if unread.
    """

    code: Code
    message: str
    effect: Effect
    version: FileVersion | None = None


Outcome = Unchanged | Rebuilt | Failed


class Memory(msgspec.Struct, frozen=True):
    """What a watch remembers of a document's earlier syncs.

    Attributes:
        known: Digest of document bytes that were found equal in content to the mirror.
        refused: Digest of document bytes at which a worker ended; they are not tried now.
        insisted: Digest of the document bytes of which this process has built a mirror with its
            own options. Another process that puts one with other options there is not answered.
        left: The mirror as this process left it.
        pending: A sync of the document is about to be done.
        failed: How the last sync of the bytes that are there failed.
    """

    known: str | None = None
    refused: str | None = None
    insisted: str | None = None
    left: FileVersion | None = None
    pending: bool = False
    failed: Code | None = None


def as_map(value: Cell) -> dict[str, Cell]:
    """Give a value that is a map, and an empty map for any other."""
    return cast("dict[str, Cell]", value) if isinstance(value, dict) else {}


def is_list(value: Cell) -> TypeGuard[list[Cell]]:
    """Tell whether a value is a list."""
    return isinstance(value, list)


class Restored(msgspec.Struct, frozen=True):
    """The mirror of a moment was built, or could not be.

    Attributes:
        unix_ms: The snapshot that was taken: the newest one that is not later than was asked.
        outcome: How the build ended.
    """

    unix_ms: int
    outcome: Outcome

    @property
    def failed(self) -> Failed | None:
        """Why it could not be built."""
        return self.outcome if isinstance(self.outcome, Failed) else None

    @property
    def rows(self) -> int:
        """Rows of the mirror."""
        return self.outcome.rows if isinstance(self.outcome, Rebuilt) else 0
