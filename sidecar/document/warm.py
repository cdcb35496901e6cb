"""A document that stays in the decoder, so that an edit costs what the edit is worth.

Of a newer form of the document only what is new is given to the decoder (``yjs.cut``), and only
the rows that it names are read again. That counts only where every byte of the newer form is
accounted for; all else is decoded afresh, as it was before there were warm documents.
"""

from collections.abc import Container, Generator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec

from sidecar.document.decode import Columns, Decoded, decode_document, walking
from sidecar.document.extension import Transaction
from sidecar.document.lifted import lifting
from sidecar.document.live import LiveArray, LiveMap, LiveTable
from sidecar.document.opened import is_panic
from sidecar.document.reading import Content
from sidecar.document.unreadable import Hidden
from sidecar.document.walk import pick, walk
from sidecar.errors import DocumentUnavailableError
from sidecar.model import Block, Root, Table, Workspace, stated_columns
from sidecar.yjs.cut import cut
from sidecar.yjs.encoding import CutShortError, decode_state_vector, is_v2, refuse_foreign
from sidecar.yjs.index import Index, index

_LAYOUTS = frozenset(("maps", "keyed_arrays"))
_TABLES, _SETTINGS = "tables", "kv"

WARM = "warm"

_Key = tuple[str, tuple[str, ...]]
"""Path of a document, and which tables are shown beside the known layouts."""


class Warm:
    """What a process keeps of the document that it decoded last.

    Attributes:
        check: Each document is decoded afresh as well, and both are compared.
        road: How the last document was read: ``warm``, or why it was decoded afresh.
        bug: What was raised by mistake as the last document was read: it was decoded afresh.
    """

    def __init__(self, *, min_bytes: int = 0, check: bool = False) -> None:
        """Begin with nothing.

        Args:
            min_bytes: Smaller documents are not kept.
            check: As the attribute.
        """
        self.check = check
        self.road = ""
        self.bug: BaseException | None = None
        self._min_bytes = min_bytes
        self._key: _Key | None = None
        self._document: WarmDocument | None = None
        self._digest: str | None = None

    @property
    def is_kept(self) -> bool:
        """Tell whether a document is kept."""
        return self._document is not None

    def drop(self) -> None:
        """Forget the document."""
        if self._document is not None:
            self._document.close()
        self._key = self._document = None

    @property
    def path(self) -> str | None:
        """Path of the document that is kept, None when none is."""
        return self._key[0] if self._document is not None and self._key is not None else None

    @property
    def is_road(self) -> bool:
        """Tell whether the last document was read by the warm road."""
        return self.road == WARM

    def in_step(self, digest: str) -> None:
        """Note that a mirror holds what the document does.

        Args:
            digest: Of the bytes that the mirror says it was made of.
        """
        self._digest = digest
        if self._document:
            self._document.in_step(digest)

    def advance(self, data: bytes, key: _Key, *, is_rested: bool) -> "WarmDocument | None":
        """Bring the kept document up to a newer form, where that is proved to be right.

        Args:
            data: The newer form.
            key: Of which document, and how it is shown.
            is_rested: It was not changed for a while: what is missing of it will not come.

        Returns:
            It; None when the newer form must be decoded afresh, and then nothing is kept any more.

        Raises:
            DocumentUnavailableError: ``torn``: only the beginning of a newer form is there. The
                document is kept for the whole of it.
            DocumentUnusableError: ``foreign``.
        """
        self._digest = self.bug = None
        if self._document is None or self._key != key:
            self.road = "the first time" if self._document is None else "another document"
            self.drop()
            return None
        document, self._document = self._document, None  # half applied it is worth nothing
        try:
            document.advance(data)
        except BaseException as error:
            if isinstance(error, _NotWholeError) and not is_rested and not is_v2(data):
                self._document = document
                refuse_foreign(data)
                raise DocumentUnavailableError("torn", f"the file is not whole: {error}") from None
            document.close()
            is_known = isinstance(error, (ValueError, RuntimeError)) or is_panic(error)
            if not is_known and (self.check or not isinstance(error, Exception)):
                raise
            self.road, self.bug = str(error), None if is_known else error
            return None
        self.road, self._document = WARM, document
        return document

    @contextmanager
    def decoded(
        self,
        content: Content,
        *,
        accept_trailing: bool,
        tables: Sequence[str] = (),
        columns: Columns | None = None,
        path: str = "",
    ) -> Generator[Workspace]:
        """Give a document's workspace: see ``tasks.warmth.decoded``."""
        key = (path, tuple(tables))
        data = content.data
        if self._document is not None and self._document.columns != (columns or {}):
            self.drop()  # the mirror is not the one that it was compared with
        with walking(), lifting(lambda: data):
            document = self.advance(data, key, is_rested=accept_trailing)
        if document is not None:
            with walking(), lifting(lambda: data), document.opened() as workspace:
                if self.check:
                    with decode_document(
                        content, accept_trailing=accept_trailing, tables=tables, columns=columns
                    ) as afresh:
                        _compare(workspace, afresh.workspace)
                yield workspace
            return
        with decode_document(
            content, accept_trailing=accept_trailing, tables=tables, columns=columns
        ) as found:
            is_worth_it = len(data) >= self._min_bytes and found.is_exact
            if not (is_worth_it and fits(found.workspace, found.elements)):
                yield found.workspace
                return
            notes: dict[Any, Any] = {}
            yield msgspec.structs.replace(found.workspace, notes=notes)
        self._key, self._document = key, WarmDocument(found, data, notes)
        if self._digest is not None:
            self._document.in_step(self._digest)


def fits(workspace: Workspace, elements: Container[str]) -> bool:
    """Tell whether a document is of a kind that can be kept warm.

    Its layouts are ``maps`` and ``keyed_arrays``, and all of its arrays were caught.
    """
    return (
        bool(workspace.tables)
        and _LAYOUTS.issuperset(workspace.layouts)
        and all(table.layout == "maps" or table.root in elements for table in workspace.tables)
        and all(
            root.layout in _LAYOUTS
            or (root.layout is None and (root.name == _SETTINGS or root.kind == "unknown"))
            for root in workspace.roots
        )
    )


class WarmDocument:
    """A document in the decoder, with the bytes that it was last brought up to."""

    def __init__(self, decoded: Decoded, data: bytes, notes: dict[Any, Any]) -> None:
        """Begin with a document that was decoded afresh."""
        self._doc = decoded.doc
        self._read = decoded.read
        self._data = data
        self._index: Index | None = None
        self._base: str | None = None
        self._is_known = True
        """Whether ``edited`` of the tables is all that the mirror lacks."""
        self._is_restructured = False
        self._foreign = ""
        self._notes = notes
        self._workspace = decoded.workspace
        self._arrays: dict[str, LiveArray] = {}
        txn = self._doc.create_transaction()
        self._root = self._doc.get_or_insert_map(txn, _TABLES)
        self._settings = self._doc.get_or_insert_map(txn, _SETTINGS)
        self._names = set(self._doc.roots(txn))
        self._take(decoded.workspace, decoded.elements, txn)
        self._subscriptions = [self._observe(name, txn) for name in sorted(self._names)]
        txn.drop()

    @property
    def columns(self) -> dict[str, tuple[str, ...]]:
        """Columns of the tables that `--tables` states, by their place."""
        return stated_columns(self._workspace.tables)

    def close(self) -> None:
        """Hear of nothing more: what hears of changes would hold the document for ever."""
        for subscription in self._subscriptions:
            subscription.drop()
        self._subscriptions.clear()

    def in_step(self, digest: str) -> None:
        """Note that a mirror made of the bytes with that digest holds what the document does."""
        self._base, self._is_known = digest, True
        for table in self._tables:
            table.edited.clear()

    def advance(self, data: bytes) -> None:
        """Bring the document up to a newer form.

        Raises:
            ValueError: The newer form is not accounted for, or the document can be kept no longer.
            RuntimeError: The decoder's; it may also panic.
        """
        if self._index is None:
            self._index, self._data = index(self._data), b""  # the index has it
        try:
            found = cut(self._index, data)
        except CutShortError as error:
            raise _NotWholeError(str(error)) from None
        txn = self._doc.create_transaction()
        try:
            self._doc.apply_update(txn, found.update)
            txn.commit()
        finally:
            txn.drop()
        txn = self._doc.create_transaction()
        try:
            vector = decode_state_vector(self._doc.get_state(txn))
            if vector != found.state_vector:
                raise ValueError(_PENDING)
            if self._foreign or self._doc.roots(txn).keys() != self._names:
                raise ValueError(f"there is a new root {self._foreign}")
            for name, array in self._arrays.items():
                array.settle(txn)
                if len(array.elements) != self._doc.get_or_insert_array(txn, name).len(txn):
                    raise ValueError(f"the decoder reported less of {name} than it changed")
            self._index = found.index
            self._workspace = msgspec.structs.replace(self._workspace, state_vector=vector)
            self._update(txn)
        finally:
            txn.drop()

    @contextmanager
    def opened(self) -> Generator[Workspace]:
        """Give the workspace; its rows can be walked until the context ends."""
        txn = self._doc.create_transaction()
        try:
            tables = [
                self._ready(table, live, txn)
                for table, live in zip(self._workspace.tables, self._tables, strict=True)
            ]
            yield msgspec.structs.replace(
                self._workspace,
                tables=Hidden(lambda: self._doc.get_update(txn, _FROM_NOTHING)).tables(
                    tuple(tables)
                ),
                base=self._base if self._is_known else None,
                notes=self._notes,
            )
        finally:
            txn.drop()

    def _ready(self, table: Table, live: LiveTable, txn: Transaction) -> Table:
        """Give a table that can be walked in a transaction, as a whole or some of its rows."""
        fields = table.fields

        def picked(keys: Sequence[str]) -> Block:
            return pick(live.rows_of(keys, txn), fields, txn)

        return msgspec.structs.replace(
            table,
            blocks=lambda: walk(live.rows(txn), fields, txn),
            edited=frozenset(live.edited) if self._is_known else None,
            pick=picked,
        )

    def _update(self, txn: Transaction) -> None:
        """Bring what was read of the document up to date with the last update."""
        lost = any(
            table.definition is None and isinstance(live, LiveMap) and live.is_empty(txn)
            for table, live in zip(self._workspace.tables, self._tables, strict=True)
            if live.is_heard
        )
        arrays = self._arrays.values()
        moved = any(self._is_other_kind(root, txn) for root in self._workspace.roots)
        is_restructured = self._is_restructured or any(array.is_restructured for array in arrays)
        if lost or moved or is_restructured:
            self._read_again(txn)
            return
        self._workspace = msgspec.structs.replace(
            self._workspace,
            tables=tuple(
                msgspec.structs.replace(table, fields=live.fields(table, txn))
                for table, live in zip(self._workspace.tables, self._tables, strict=True)
            ),
            roots=tuple(self._count(root, txn) for root in self._workspace.roots),
        )

    def _is_other_kind(self, root: Root, txn: Transaction) -> bool:
        """Tell of the settings whether their first entry came, or the last one went."""
        return root.name == _SETTINGS and (root.kind == "map") != bool(self._settings.len(txn))

    def _count(self, root: Root, txn: Transaction) -> Root:
        entries = root.entries
        if root.name in self._arrays:
            entries = len(self._arrays[root.name].elements)
        elif root.name == _SETTINGS:
            entries = self._settings.len(txn)
        return root if entries == root.entries else msgspec.structs.replace(root, entries=entries)

    def _read_again(self, txn: Transaction) -> None:
        """Read all tables again: one came or went, or a definition changed."""
        elements = {name: array.elements for name, array in self._arrays.items()}
        roots = {root.name for root in self._workspace.roots}
        vector = self._workspace.state_vector
        found = self._read(txn, elements, roots, self.columns)
        workspace = msgspec.structs.replace(found, state_vector=vector)
        if not fits(workspace, elements):
            raise ValueError("it holds by now what is not kept warm")
        self._is_known = self._is_restructured = False
        self._take(workspace, elements, txn)

    def _take(self, workspace: Workspace, elements: dict[str, list[Any]], txn: Transaction) -> None:
        """Make tables that can be brought up to date of those that were read."""
        self._arrays = {name: LiveArray(found, txn) for name, found in elements.items()}
        self._maps: dict[str, LiveMap] = {}
        self._tables: list[LiveTable] = []
        for table in workspace.tables:
            if table.layout == "maps":
                self._maps[table.name] = live = LiveMap(self._root, table.name)
                self._tables.append(live)
            else:
                self._tables.append(self._arrays[table.root])
        self._workspace = workspace

    def _observe(self, name: str, txn: Transaction) -> Any:
        """Hear of whatever changes in a root."""
        if name in self._arrays:
            array = self._doc.get_or_insert_array(txn, name)
            return array.observe_deep(lambda events: self._hear_array(name, events))
        root = self._doc.get_or_insert_map(txn, name)
        if name not in {found.name for found in self._workspace.roots}:
            return root.observe_deep(lambda _: self._hear_foreign(name))
        if name == _TABLES:
            return root.observe_deep(self._hear_tables)
        if name == _SETTINGS:
            return root.observe_deep(self._hear_settings)
        return root.observe_deep(lambda _: self._hear_restructured())

    def _hear_array(self, name: str, events: list[Any]) -> None:
        self._arrays[name].hear(events)

    def _hear_foreign(self, name: str) -> None:
        """A root that was none, and that reading the document has made by asking for it."""
        self._foreign = name

    def _hear_restructured(self) -> None:
        self._is_restructured = True

    def _hear_settings(self, events: list[Any]) -> None:
        """Count the settings anew; what they say is no table's content."""
        for event in events:
            if not event.path and not getattr(event, "keys", None):  # elements, or letters
                self._is_restructured = True

    def _hear_tables(self, events: list[Any]) -> None:
        for event in events:
            path = event.path
            table = self._maps.get(path[0]) if path else None
            if table is None:
                self._is_restructured = True
            elif len(path) > 1:
                table.change((path[1],))
            elif hasattr(event, "keys"):
                table.change(event.keys)
            else:
                self._is_restructured = True


class _NotWholeError(ValueError):
    """The newer form ends before all of it was read; the document was left as it is."""


_FROM_NOTHING = b"\0"
_PENDING = "it builds on what it does not hold"


def _compare(warm: Workspace, cold: Workspace) -> None:
    """Compare the two roads.

    Raises:
        WarmRoadError: They differ: a bug of ours.
    """
    _same("writers", sorted(warm.state_vector.items()), sorted(cold.state_vector.items()))
    for name in ("layouts", "roots", "problems"):
        _same(name, getattr(warm, name), getattr(cold, name))
    _same("tables", [t.name for t in warm.tables], [t.name for t in cold.tables])
    for one, other in zip(warm.tables, cold.tables, strict=True):
        for name in ("layout", "definition", "fields", "problems", "root"):
            _same(f"{name} of {one.name}", getattr(one, name), getattr(other, name))
        blocks = zip(one.blocks(), other.blocks(), strict=True)
        for mine, theirs in blocks:
            _same(f"rows of {one.name}", mine, theirs)


_encode = msgspec.msgpack.Encoder(order="sorted", enc_hook=float).encode


class WarmRoadError(Exception):
    """The two roads differ."""


def _same(what: str, warm: object, cold: object) -> None:
    if _encode(warm) != _encode(cold):
        raise WarmRoadError(f"{what}: {warm!r:.2000} by the warm road, {cold!r:.2000} afresh")
