"""The bytes of an update to a Workspace, with a proof that all of them were read."""

import gc
import sys
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager

from sidecar.document.extension import Doc, Transaction
from sidecar.document.layouts import read_roots_as_tables
from sidecar.document.patterns import parse_choice
from sidecar.document.reading import Content
from sidecar.document.roots import CaughtArrays, RootContent, names_of_arrays, read_roots
from sidecar.errors import DocumentUnavailableError, DocumentUnusableError
from sidecar.model import JSON_DEPTH, Problem, Workspace
from sidecar.yjs.encoding import decode_state_vector, refuse_foreign

_FROM_NOTHING = b"\0"
_ZERO_TAIL = b"\0\0"
"""Alone an empty update, at the end of another one a sign of unread bytes."""
_ZEROS = 8
"""Zeros in a row that are a hole in the file and no part of an update."""
_FRAMES_PER_LEVEL = 10
"""Walking JSON of ``JSON_DEPTH`` levels takes three Python frames a level."""

_last_decoded: list[Doc] = []
"""The document decoded last, freed by the next decode: freeing 100,000 rows takes 0.13 s, which
a worker that is about to exit need not spend."""


@contextmanager
def decode(
    content: Content, *, accept_trailing: bool, tables: Sequence[str] = ()
) -> Generator[Workspace]:
    """Decode a document; its rows can be walked until the context ends.

    Args:
        content: What was read.
        accept_trailing: Accept a whole update with the stale end of a longer one behind it, which
            Yjs passes over; otherwise it is torn.
        tables: What is shown beside the known layouts, as in ``Options.tables``.

    Raises:
        DocumentUnavailableError: ``torn`` or ``undecodable``; a host that is still writing gives
            both, so a later try may succeed.
        DocumentUnusableError: ``v2`` or ``foreign``.
    """
    refuse_foreign(content.data)
    limit, collecting = sys.getrecursionlimit(), gc.isenabled()
    sys.setrecursionlimit(max(limit, _FRAMES_PER_LEVEL * JSON_DEPTH))
    gc.disable()  # millions of fresh cells and no cycles: collecting costs a tenth of the walk
    try:
        doc, caught = _fresh(names_of_arrays(content.data))
        has_zero_tail = content.data.endswith(_ZERO_TAIL) and content.size > len(_ZERO_TAIL)
        length = _apply(doc, content.take())
        txn = doc.create_transaction()
        is_odd = length != content.size or has_zero_tail
        unaccounted = (
            _account(content.again(), length, accept_trailing=accept_trailing) if is_odd else ()
        )
        roots, unread = read_roots(doc, txn, caught)
        if unread:
            txn.drop()
            del doc, txn, caught, roots  # freed, before it is decoded once more
            doc, txn, roots = _again(content.again(), unread)
        found = read_roots_as_tables(doc, txn, roots, parse_choice(tables))
        yield Workspace(
            layouts=found.layouts,
            tables=found.tables,
            state_vector=decode_state_vector(doc.get_state(txn)),
            problems=(*unaccounted, *found.problems),
            roots=found.roots,
        )
    except BaseException as error:
        if not _is_panic(error):
            raise
        raise DocumentUnusableError("undecodable", f"the document is damaged: {error}") from None
    finally:
        sys.setrecursionlimit(limit)
        if collecting:
            gc.enable()


def _fresh(arrays: Iterable[str]) -> tuple[Doc, CaughtArrays]:
    """Make an empty document that will be told of these arrays; the last one is freed."""
    _last_decoded.clear()
    doc = Doc(None, True, None)  # noqa: FBT003 - skip_gc, so that the re-encoding is complete
    _last_decoded.append(doc)
    return doc, CaughtArrays(doc, arrays)


def _again(data: bytes, arrays: list[str]) -> tuple[Doc, Transaction, list[RootContent]]:
    """Decode once more for the elements of long arrays, whose names are known only now.

    That costs as much as the first time; reading them by index costs the square of their length.
    """
    doc, caught = _fresh({*arrays, *names_of_arrays(data)})
    _apply(doc, data)
    txn = doc.create_transaction()
    roots, _ = read_roots(doc, txn, caught)
    return doc, txn, roots


def _apply(doc: Doc, data: bytes) -> int:
    """Apply an update to a fresh document.

    Returns:
        The bytes that the document has when it is encoded again. The extension does that anyway
        for the event, and an update without content, which has none, is soon encoded.

    Raises:
        DocumentUnavailableError: ``undecodable``, or ``torn`` when it builds on updates that are
            not in the file: yrs shows what lies past such a gap, Yjs keeps it back.
    """
    reached: list[tuple[bytes, int]] = []
    subscription = doc.observe(lambda event: reached.append((event.after_state, len(event.update))))
    txn = doc.create_transaction()
    try:
        doc.apply_update(txn, data)
        del data  # the commit encodes as much again
        txn.commit()
    except BaseException as error:
        if not _is_decoder_error(error):
            raise
        raise DocumentUnavailableError(
            "undecodable",
            f"the file is no whole Yjs update ({error}); inspect shows what can be read of it",
        ) from None
    finally:
        txn.drop()
        subscription.drop()
    txn = doc.create_transaction()
    now = doc.get_state(txn)
    whole = all(state == now for state, _ in reached)
    length = reached[-1][1] if reached else len(doc.get_update(txn, _FROM_NOTHING))
    txn.drop()
    if not whole:
        raise DocumentUnavailableError("torn", "the file builds on updates that it does not hold")
    return length


def _is_decoder_error(error: BaseException) -> bool:
    """Tell the decoder's own failures: ValueError, RuntimeError, and a panic of its Rust code.

    pyo3's PanicException is a BaseException and cannot be imported by name.
    """
    return isinstance(error, (ValueError, RuntimeError)) or _is_panic(error)


def _is_panic(error: BaseException) -> bool:
    return type(error).__name__ == "PanicException"


def _account(data: bytes, length: int, *, accept_trailing: bool) -> tuple[Problem, ...]:
    """Prove that every byte of the file was read, and that Yjs would read it so too.

    yrs ignores trailing bytes, and decodes a zero-filled tail or a damaged reference into less
    data without an error. That what was read has the length of the file when it is encoded again
    is the proof, but for a zero tail, where the file without its last byte must fail to decode.
    Where the length differs, as it does with BigInts and sub-documents, the bytes are measured.

    Args:
        data: The file, which ends in zeros or has another length.
        length: Bytes of the document when it is encoded again.
        accept_trailing: As in ``decode``.
    """
    if length == len(data):
        if _decodes(data[:-1]):
            raise DocumentUnavailableError("torn", "the file ends in zeros that belong to nothing")
        return ()
    from sidecar.yjs.store import measure  # noqa: PLC0415 - seldom needed

    try:
        end = measure(data)
    except ValueError as error:
        message = f"the file is no update that Yjs would take: {error}"
        raise DocumentUnavailableError("undecodable", message) from None
    # Two writes that a host does not wait for can both truncate and then both write; the shorter
    # one, last, leaves the end of the other standing (83 of 400 bursts of 50). Yjs passes over
    # it. In front of zeros, though, the update itself may be cut.
    if end < len(data) and (not any(data[end : end + _ZEROS]) or not accept_trailing):
        raise DocumentUnavailableError(
            "torn", f"the file has {len(data)} bytes, and its update ends at {end}"
        )
    detail = f"{len(data)} bytes in the file, {end} of them read, {length} when encoded again"
    return (Problem(None, None, "unaccounted", detail=detail),)


def _decodes(data: bytes) -> bool:
    doc = Doc(None, True, None)  # noqa: FBT003 - skip_gc, so that the re-encoding is complete
    try:
        _apply(doc, data)
    except DocumentUnavailableError:
        return False
    return True
