"""The bytes of an update to a Workspace, with a proof that all of them were read."""

import gc
import sys
from collections.abc import Callable, Container, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec

from sidecar.document.extension import Doc, Transaction
from sidecar.document.layouts import read_roots_as_tables
from sidecar.document.lifted import lifting
from sidecar.document.opened import Opened, is_panic, open_again, open_document
from sidecar.document.reading import Content
from sidecar.document.roots import RootContent, read_roots
from sidecar.document.unreadable import Hidden
from sidecar.errors import DocumentUnusableError
from sidecar.model import AUTO, JSON_DEPTH, Problem, Workspace

if TYPE_CHECKING:
    from sidecar.document.patterns import Choice

_FROM_NOTHING = b"\0"
_FRAMES_PER_LEVEL = 10
"""Walking JSON of ``JSON_DEPTH`` levels takes three Python frames a level."""

Columns = Mapping[str, Sequence[str]]
"""Columns that stated tables have had, as in ``Options.columns``."""

_Read = Callable[[Transaction, dict[str, list[Any]], Container[str], Columns], Workspace]


class Decoded(msgspec.Struct, frozen=True):
    """A document in the decoder.

    Attributes:
        workspace: What it holds.
        doc: The decoder's.
        elements: Those of its root arrays that were caught, by name.
        is_exact: The decoder was given the file's own bytes, and all of them.
        read: Reads it anew in a transaction: with the elements of its arrays, the names of its
            roots, and the columns that stated tables have had.
    """

    workspace: Workspace
    doc: Doc
    elements: dict[str, list[Any]]
    is_exact: bool
    read: _Read


@contextmanager
def decode(
    content: Content,
    *,
    accept_trailing: bool,
    tables: Sequence[str] = (),
    columns: Columns | None = None,
) -> Generator[Workspace]:
    """Decode a document; its rows can be walked until the context ends.

    Args:
        content: What was read.
        accept_trailing: Accept what only a file at rest may be (see ``open_document``).
        tables: What is shown beside the known layouts, as in ``Options.tables``.
        columns: Those that stated tables have had, as in ``Options.columns``.

    Raises:
        DocumentUnavailableError: ``torn`` or ``undecodable``; a host that is still writing gives
            both, so a later try may succeed.
        DocumentUnusableError: ``v2`` or ``foreign``.
    """
    with decode_document(
        content, accept_trailing=accept_trailing, tables=tables, columns=columns
    ) as decoded:
        yield decoded.workspace


@contextmanager
def decode_document(
    content: Content,
    *,
    accept_trailing: bool,
    tables: Sequence[str] = (),
    columns: Columns | None = None,
) -> Generator[Decoded]:
    """Decode a document that may be kept; its rows can be walked until the context ends.

    Arguments and errors are those of ``decode``.
    """
    with walking():
        opened = open_document(content, accept_trailing=accept_trailing)
        txn = opened.doc.create_transaction()
        with lifting(lambda: content.again() if opened.update is None else opened.update):
            roots, unread = read_roots(opened.doc, txn, opened.caught)
            if unread:
                txn.drop()
                del txn, roots  # freed, before it is decoded once more
                open_again(opened, content, unread)
                txn = opened.doc.create_transaction()
                roots, _ = read_roots(opened.doc, txn, opened.caught)

            def read(
                txn: Transaction,
                elements: dict[str, list[Any]],
                names: Container[str],
                columns: Columns,
            ) -> Workspace:
                roots, unread = read_roots(opened.doc, txn, elements, names)
                if unread:
                    raise ValueError(f"the root {unread[0]} must be caught to be read")
                return _workspace(opened, txn, roots, _choice(tables, columns))

            try:
                yield Decoded(
                    workspace=_workspace(opened, txn, roots, _choice(tables, columns or {})),
                    doc=opened.doc,
                    elements=opened.caught.let_go(),
                    is_exact=not (opened.update or opened.problems or opened.repairs),
                    read=read,
                )
            finally:
                txn.drop()


@contextmanager
def walking() -> Generator[None]:
    """Make room for the walk over a document's rows, and give the decoder's panics a name.

    Raises:
        DocumentUnusableError: ``undecodable``.
    """
    limit, collecting = sys.getrecursionlimit(), gc.isenabled()
    sys.setrecursionlimit(max(limit, _FRAMES_PER_LEVEL * JSON_DEPTH))
    gc.disable()  # millions of fresh cells and no cycles: collecting costs a tenth of the walk
    try:
        yield
    except BaseException as error:
        if not is_panic(error):
            raise
        raise DocumentUnusableError("undecodable", f"the document is damaged: {error}") from None
    finally:
        sys.setrecursionlimit(limit)
        if collecting:
            gc.enable()


def _workspace(
    opened: Opened, txn: Transaction, roots: list[RootContent], choice: "Choice | None"
) -> Workspace:
    found = read_roots_as_tables(opened.doc, txn, roots, choice)
    shown, unplaced = found.tables, tuple[Problem, ...]()
    if opened.repairs:
        from sidecar.document.repairs import place_repairs  # noqa: PLC0415 - seldom needed

        shown, unplaced = place_repairs(found.tables, opened.repairs)
    hidden = Hidden(lambda: opened.doc.get_update(txn, _FROM_NOTHING))
    return Workspace(
        layouts=found.layouts,
        tables=hidden.tables(shown),
        state_vector=opened.state_vector,
        problems=(*opened.problems, *unplaced, *hidden.problems(found.problems)),
        roots=found.roots,
    )


def _choice(words: Sequence[str], columns: Columns) -> "Choice | None":
    """Read what is shown beside the known layouts; None where every root is, by its shape."""
    if not words or AUTO in words:
        return None
    from sidecar.document.patterns import parse_choice  # noqa: PLC0415 - seldom asked for

    return parse_choice(words, columns)
