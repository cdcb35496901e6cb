"""The values that all rooms share: the content of a document, its problems, results of syncs."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Literal, TypeGuard, cast

import msgspec

from sidecar.errors import Code
from sidecar.files import FileVersion

# A cell as the mirror sees it: null, boolean, integer within int64, float, text, bytes, or a
# canonical JSON container (list or dict of the same without bytes, NaN and infinities).
# ``Any`` because JSON containers nest and type checkers gain nothing from the recursion here.
Cell = Any

ROWS_PER_BLOCK = 1000
"""Rows that are walked and inserted at a time, so that memory stays bounded. (The chunks that have
digests in a mirror are others: see ``digests.pieces``.)"""

JSON_DEPTH = 500
"""Deepest JSON that a cell may hold. SQLite's JSON functions refuse more than 1000 levels."""

NOT_WHOLE = ("unreadable", "waiting", "repaired")
"""Kinds of problems by which a mirror is incomplete or differs from its document."""

UNREADABLE = NOT_WHOLE[0]

MOST_FIELDS = 1998
"""SQLite's 2000 columns without ``id`` and ``_extra``."""

LONG_ARRAY = 64
"""Arrays of so many structs and more are lifted (``yjs.lift``); shorter ones are read by index."""

EXACT_INTEGER = 2**53
"""Largest magnitude up to which every integer is a JavaScript number."""


class Problem(msgspec.Struct, frozen=True):
    """Content of a document that the mirror could not show as declared.

    Attributes:
        table: The table's name in the document, None for the document as a whole.
        field: The field's name in the document, None for the row or table.
        kind: ``name``, ``missing``, ``kind`` and the others of docs/format.md.
        rows: Number of rows concerned, 0 when it concerns no rows.
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
    """One declared field. All values except the name come from the app and may be absent."""

    name: str
    type: str | None
    nullable: bool = False
    label: str | None = None
    description: str | None = None
    icon: str | None = None
    options: Cell = None


class TableDefinition(msgspec.Struct, frozen=True):
    """A table's definition in the document.

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


class Block(msgspec.Struct, frozen=True, array_like=True):
    """Up to ``ROWS_PER_BLOCK`` rows of one table, by column, sorted by id.

    Attributes:
        ids: The row keys.
        columns: One sequence of cells for each of the table's fields, as long as ``ids``.
        extras: For each row the values without a column: None, a dict by field, or for a row that
            is not a map a list with its value as the only element.
        problems: Problems found in these rows.
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
        definition: None when the document has none.
        fields: Names of the fields that get a column, in code point order, without ``id``.
        blocks: Starts the walk over the rows.
        problems: What is wrong with the definition.
        root: Name of the root that holds the rows.
        edited: Keys of the rows that changed, appeared or went since ``Workspace.base``; None
            where that is not known: any row may have changed.
        pick: Returns the rows with the given keys, sorted, without keys that do not exist; None
            where ``edited`` is None. It may be called any number of times.
        stated: Its place, as a pattern, where `--tables` states that it is a table; else empty.
    """

    name: str
    layout: Layout
    definition: TableDefinition | None
    fields: tuple[str, ...]
    blocks: Callable[[], Iterator[Block]]
    problems: tuple[Problem, ...] = ()
    root: str = "tables"
    edited: frozenset[str] | None = None
    pick: Callable[[Sequence[str]], Block] | None = None
    stated: str = ""

    @property
    def declared(self) -> tuple[FieldDefinition, ...] | None:
        """The declared fields; None when columns are inferred from the rows."""
        return self.definition.fields if self.definition else None


def stated_columns(tables: Iterable[Table]) -> dict[str, tuple[str, ...]]:
    """Return the columns of the tables that `--tables` states and nobody declared, by place."""
    return {t.stated: t.fields for t in tables if t.stated and t.fields and t.declared is None}


class Root(msgspec.Struct, frozen=True):
    """One root of the document, and how it is shown; ``Table.root`` refers to it by name.

    Attributes:
        name: Its name in the document.
        kind: Its type; ``unknown`` where all its content was deleted.
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
        problems: Problems that concern no single table.
        roots: Every root, sorted by name.
        base: Digest of the earlier document bytes to which ``Table.edited`` refers: the mirror to
            patch was built from them. None for a document that was decoded afresh.
        notes: What the build of the mirror keeps for the next edit, such as digests of rows. It
            exists as long as the document stays warm; None where no document stays warm.
    """

    layouts: tuple[str, ...]
    tables: tuple[Table, ...]
    state_vector: dict[int, int]
    problems: tuple[Problem, ...] = ()
    roots: tuple[Root, ...] = ()
    base: str | None = None
    notes: dict[Any, Any] | None = None


class Source(msgspec.Struct, frozen=True, order=True):
    """Paths of one document and its mirror: absolute, surrogate-escaped."""

    document: str
    mirror: str
    workspace: str | None
    epoch: int | None


class Selection(msgspec.Struct, frozen=True):
    """Which of the files below the roots are documents, and where their mirrors go.

    Attributes:
        documents: GLOBs of the names of documents.
        into: Folder for mirrors at the same relative paths; None for beside the documents.
        workspace: Id of the only selected workspace; None for all.
        epoch: The only selected epoch; None for all.
    """

    documents: tuple[str, ...] = ("workspace.yjs",)
    into: str | None = None
    workspace: str | None = None
    epoch: int | None = None


AUTO = "auto"
"""The value of ``Options.tables`` by which every root is shown by its shape."""


class Options(msgspec.Struct, frozen=True):
    """What may differ from one sync to the next.

    Attributes:
        fts: None keeps the mirror's own setting; () turns full-text search off; ("*",) indexes
            every declared text column; otherwise TABLE.FIELD names.
        last_good: Whether a collapsed mirror is kept as tables.last-good.sqlite.
        max_document_bytes: Larger documents are refused, code ``too_large``.
        state_folder: Folder of the lock files.
        tables: What is shown beside the known layouts. None keeps the mirror's own setting;
            ("auto",) shows every root by its shape, ("none",) none; otherwise patterns of names.
        columns: Columns that tables named by patterns have had, by place; they stay when no row has
            them any more. None keeps those of the mirror.
        in_place: Whether the new mirror is copied into the file that is there, for readers that
            keep it open; None keeps the mirror's own setting.
        row_ids: Whether events say which rows changed, not only how many.
    """

    state_folder: str
    fts: tuple[str, ...] | None = None
    last_good: bool = True
    tables: tuple[str, ...] | None = None
    columns: dict[str, tuple[str, ...]] | None = None
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
    """How many rows of one table differ between two mirrors, and which if ``--rows`` is given."""

    added: int
    changed: int
    removed: int
    ids: RowIds | None = None


class Collapse(msgspec.Struct, frozen=True):
    """A mirror with rows was about to be lost; ``kept`` is the path of the copy.

    Attributes:
        rows_before: Rows of the copy.
        kept: Its path.
        rows: Rows of the new mirror.
        why: What it looks like, in words.
    """

    rows_before: int
    kept: str
    rows: int = 0
    why: str = ""


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
    """A new mirror is in place.

    Attributes:
        rows: Rows of all tables.
        problems: Lines in ``_mirror_problems``.
        regressed: The document's state vector went back.
        ms: Milliseconds from the start of the read to the published mirror.
        rows_changed: Of each changed table; None where there was no mirror to compare with.
        warm: Only the new part was applied to a document in memory, instead of a fresh decode.
        road: How the document was read, for the log: ``warm``, or why it was decoded afresh.
        note: Why a mirror of another process was left as it is, for people.
        mirror: Version of the mirror that this sync left in place.
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
            (the worker's process ended), ``same`` (not tried: the bytes are those that failed last
            time), ``once`` (this version of the document cannot be used), ``gone`` (the document
            does not exist).
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
        refused: Digest of document bytes at which a worker's process ended; not tried again yet.
        insisted: Digest of document bytes after whose sync this process replaced another process's
            mirror, which had other options. If that process replaces it again, it is left there.
        left: Version of the mirror that this process left in place.
        pending: A sync of the document will follow soon.
        failed: Code with which the last sync of the present bytes failed.
    """

    known: str | None = None
    refused: str | None = None
    insisted: str | None = None
    left: FileVersion | None = None
    pending: bool = False
    failed: Code | None = None


def as_map(value: Cell) -> dict[str, Cell]:
    """Return the value if it is a map, else an empty map."""
    return cast("dict[str, Cell]", value) if isinstance(value, dict) else {}


def is_list(value: Cell) -> TypeGuard[list[Cell]]:
    """Return whether a value is a list."""
    return isinstance(value, list)


class Restored(msgspec.Struct, frozen=True):
    """Result of building the mirror of a snapshot.

    Attributes:
        unix_ms: Time of the snapshot: the newest one not later than the requested time.
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
