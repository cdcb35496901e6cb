"""An update in the decoder, with a proof that it was read to its end and as Yjs reads it.

The decoder ignores trailing bytes, decodes a zero-filled tail or a damaged reference into less
data without an error, shows what lies past a gap, refuses some of what Yjs takes. That what was
read has the length of the file when it is encoded again is the proof. Where it has not, both are
compared; where that tells nothing the structs are read in Python; and where these are odd too the
update is made anew, as Yjs shows it (``yjs.normalize``).
"""

from collections.abc import Iterable

import msgspec

from sidecar.document.extension import Doc
from sidecar.document.reading import Content
from sidecar.document.roots import CaughtArrays, names_of_arrays
from sidecar.errors import DocumentUnavailableError
from sidecar.model import Problem
from sidecar.yjs.encoding import decode_state_vector, is_v2, looks_like_text, refuse_foreign

_FROM_NOTHING = b"\0"
_ZERO_TAIL = b"\0\0"
"""Alone an empty update, at the end of another one a sign of unread bytes."""
_NOTHING = _ZERO_TAIL
_BEYOND_FIRST_PLANE = b"\xf0"
"""How characters that are surrogate pairs in JavaScript begin."""
_SMALL = 1 << 19
_LONG_NUMBER = b"\x80"
"""First byte of a number of writers that is no longer small."""
_TANGLED_MOST = 1 << 17
"""Bytes of a file up to which it is looked for what two sessions under one client id tangle."""
_ZEROS = 8
"""Zeros in a row that are a hole in the file and no part of an update."""

_held: list[Doc] = []
"""The document decoded last, freed by the next decode: freeing 100,000 rows takes 0.13 s, which
a worker that is about to exit need not spend."""


class Repair(msgspec.Struct, frozen=True):
    """Something that is shown otherwise than it was written.

    Attributes:
        path: From a root's name: keys of maps; of an element of a list its own ``key``, or None.
        detail: What it is.
    """

    path: tuple[str | None, ...]
    detail: str


class Opened(msgspec.Struct):
    """A document that the decoder holds as Yjs shows it.

    Attributes:
        doc: The decoder's.
        caught: The elements of its root arrays.
        state_vector: client -> clock.
        problems: How the file was read.
        repairs: What was repaired on the way.
        update: What the decoder was given instead of the file, None when that was the file.
    """

    doc: Doc
    caught: CaughtArrays
    state_vector: dict[int, int]
    problems: tuple[Problem, ...] = ()
    repairs: tuple[Repair, ...] = ()
    update: bytes | None = None


def open_document(content: Content, *, accept_trailing: bool) -> Opened:
    """Give a document to the decoder and prove that it is what Yjs shows.

    Args:
        content: What was read; its bytes are taken.
        accept_trailing: Accept what only a file at rest may be: a whole update with the stale end
            of a longer one behind it, which Yjs passes over, and one that waits for an update
            which was lost. Otherwise they are torn.

    Raises:
        DocumentUnavailableError: ``torn`` or ``undecodable``; a host that is still writing gives
            both, so a later try may succeed. ``v2``: a V2 update that makes no sense.
        DocumentUnusableError: ``foreign``.
    """
    refuse_foreign(content.data)
    _held.clear()
    if is_v2(content.data):
        return _open_v2(content, accept_trailing=accept_trailing)
    return _open_v1(content, accept_trailing=accept_trailing)


def v1_update(data: bytes) -> tuple[bytes, int]:
    """Give a V1 update as it is, and a V2 update as V1.

    Returns:
        The update and, of a V2 update, where it ended in the data.

    Raises:
        DocumentUnavailableError: ``v2``: it is cut, or makes no sense.
    """
    if not is_v2(data):
        return data, len(data)
    from sidecar.yjs.v2 import to_v1  # noqa: PLC0415 - seldom needed

    try:
        return to_v1(data)
    except ValueError as error:
        message = f"the file is no whole Yjs V2 update: {error}"
        raise DocumentUnavailableError("v2", message) from None


def _open_v2(content: Content, *, accept_trailing: bool) -> Opened:
    update, end = v1_update(content.data)
    is_nothing = update == _NOTHING
    problems = _trailing(content, end, accept_trailing=accept_trailing and not is_nothing)
    content.take()
    as_v1 = Content(update, len(update), content.digest, content.mode)
    opened = _open_v1(as_v1, accept_trailing=accept_trailing)
    opened.problems = (*problems, *opened.problems)
    opened.update = opened.update or update
    return opened


def _open_v1(content: Content, *, accept_trailing: bool) -> Opened:
    is_odd = _needs_proof(content.data)
    if _has_many_writers(content.data):
        return _made_plain(content, None, accept_trailing=accept_trailing)
    tried: _Applied | None = None
    refused: DocumentUnavailableError | None = None
    try:
        tried = _apply(content.take())
    except DocumentUnavailableError as error:
        refused = error
    if tried and tried.is_whole and not _is_tangled(content, tried):
        if tried.length == content.size and not is_odd:
            return tried.opened()
        end = _end_as_read(content.again(), tried.doc)
        if end is not None:
            return tried.opened(_trailing(content, end, accept_trailing=accept_trailing))
    del tried
    _held.clear()
    return _made_plain(content, refused, accept_trailing=accept_trailing)


def open_again(opened: Opened, content: Content, arrays: Iterable[str]) -> None:
    """Decode once more for the elements of long arrays, whose names are known only now.

    That costs as much as the first time; reading them by index costs the square of their length.
    """
    _held.clear()
    opened.doc = Doc(None, True, None)  # noqa: FBT003 - the other one is freed first
    opened.caught = CaughtArrays(opened.doc, ())
    update = content.again() if opened.update is None else opened.update
    applied = _apply(update, frozenset(arrays))
    opened.doc, opened.caught = applied.doc, applied.caught


def plain_update(content: Content) -> bytes:
    """Give the V1 update that Yjs and the decoder read alike: the file's own where they do.

    Raises:
        DocumentUnavailableError: As ``open_document``.
        DocumentUnusableError: As ``open_document``.
    """
    opened = open_document(content, accept_trailing=True)
    return content.again() if opened.update is None else opened.update


def is_panic(error: BaseException) -> bool:
    """Tell a panic of the decoder's Rust code, whose exception cannot be imported by name."""
    return type(error).__name__ == "PanicException"


class _Applied(msgspec.Struct, frozen=True):
    """An update that the decoder took.

    Attributes:
        doc: The decoder's.
        caught: Of it.
        length: Bytes of the document when it is encoded again.
        is_whole: Whether nothing lies past a gap, which the decoder shows and Yjs does not.
    """

    doc: Doc
    caught: CaughtArrays
    length: int
    is_whole: bool

    def opened(self, problems: tuple[Problem, ...] = ()) -> Opened:
        txn = self.doc.create_transaction()
        vector = decode_state_vector(self.doc.get_state(txn))
        txn.drop()
        return Opened(self.doc, self.caught, vector, problems)


def _has_many_writers(data: bytes) -> bool:
    """Tell whether there are many writers, with ids that cost the decoder the square of them."""
    if data[:1] < _LONG_NUMBER:
        return False
    from sidecar.yjs.writers import collide  # noqa: PLC0415 - seldom needed

    return collide(data)


def _needs_proof(data: bytes) -> bool:
    """Tell whether the length of the re-encoding proves nothing.

    Zeros at the end may be read as something, and so have their length. An edit inside a surrogate
    pair, which the decoder cuts otherwise, and a BigInt may make up for each other: one in three
    hundred small documents that were made for it, so small ones are looked at.
    """
    has_zero_tail = data.endswith(_ZERO_TAIL) and len(data) > len(_ZERO_TAIL)
    return has_zero_tail or (len(data) < _SMALL and _BEYOND_FIRST_PLANE in data)


def _is_tangled(content: Content, tried: "_Applied") -> bool:
    """Tell whether Yjs integrates an update otherwise, as one of two sessions under one client id.

    Only for small files: reading all structs takes five times the decode.
    """
    if content.size > _TANGLED_MOST:
        return False
    from sidecar.yjs.tangled import is_tangled, may_be_tangled  # noqa: PLC0415 - for small ones

    try:
        data = content.again()
        return may_be_tangled(data, tried.opened().state_vector) and is_tangled(data)
    except ValueError:
        return False


def _apply(data: bytes, names: frozenset[str] = frozenset()) -> _Applied:
    """Apply an update to a fresh document.

    The length of the re-encoding is had for the event, which the extension makes anyway; an
    update without content, which has none, is soon encoded.

    Args:
        data: The update.
        names: Of root arrays to be caught, beside those that are found in it.

    Raises:
        DocumentUnavailableError: ``undecodable``.
    """
    doc = Doc(None, True, None)  # noqa: FBT003 - skip_gc, so that the re-encoding is complete
    _held.append(doc)
    caught = CaughtArrays(doc, names_of_arrays(data) | names)
    reached: list[tuple[bytes, int]] = []
    subscription = doc.observe(lambda event: reached.append((event.after_state, len(event.update))))
    is_text = looks_like_text(data)
    txn = doc.create_transaction()
    try:
        doc.apply_update(txn, data)
        del data  # the commit encodes as much again
        txn.commit()
    except BaseException as error:
        if not _is_decoder_error(error):
            raise
        message = f"the file is no whole Yjs update ({error}); inspect shows what can be read of it"
        if is_text:
            message = "the file is text, and no Yjs update; name the document, or its folder"
        raise DocumentUnavailableError("undecodable", message) from None
    finally:
        txn.drop()
        subscription.drop()
    txn = doc.create_transaction()
    now = doc.get_state(txn)
    is_whole = all(state == now for state, _ in reached)
    length = reached[-1][1] if reached else len(doc.get_update(txn, _FROM_NOTHING))
    txn.drop()
    return _Applied(doc, caught, length, is_whole)


def _is_decoder_error(error: BaseException) -> bool:
    return isinstance(error, (ValueError, RuntimeError)) or is_panic(error)


def _end_as_read(data: bytes, doc: Doc) -> int | None:
    """Find the end of an update that the decoder read as Yjs does, None where that is in doubt.

    The decoder writes some values with another length than Yjs does. The comparison tells them
    in 0.05 s for 18 MB; it ends where structs are joined otherwise, as after ``Y.mergeUpdates``.
    Then all structs are read, which takes four times the decode; and where something is left
    behind, for then it is not enough that the decoder takes what Yjs might not.
    """
    from sidecar.yjs.values import end_of_same  # noqa: PLC0415 - seldom needed

    txn = doc.create_transaction()
    again = doc.get_update(txn, _FROM_NOTHING)
    txn.drop()
    end = end_of_same(data, again)
    if end == len(data):
        return end
    del again
    from sidecar.yjs.store import end_of_update  # noqa: PLC0415 - hardly ever needed

    try:
        return end_of_update(data)
    except ValueError:
        return None


def _made_plain(
    content: Content, refused: DocumentUnavailableError | None, *, accept_trailing: bool
) -> Opened:
    from sidecar.yjs.index import is_cut_short  # noqa: PLC0415 - seldom needed
    from sidecar.yjs.normalize import normalize  # noqa: PLC0415

    data = content.again()
    if refused and is_cut_short(data):  # a file being written: told in a twentieth of the time
        raise refused
    try:
        normal = normalize(data)
    except ValueError as error:
        message = f"the file is no update that Yjs would take: {error}"
        raise refused or DocumentUnavailableError("undecodable", message) from None
    del data
    problems = _trailing(content, normal.end, accept_trailing=accept_trailing)
    if normal.may_be_cut and not accept_trailing:
        message = "the file ends in a deletion of nothing, as where its end is lost"
        raise DocumentUnavailableError("torn", message)
    if normal.kept_back:
        missing = ", ".join(f"client {c} from clock {k}" for c, k in sorted(normal.waiting.items()))
        if problems or not accept_trailing:
            message = f"the file builds on updates that it does not hold ({missing})"
            raise DocumentUnavailableError("torn", message)
        detail = f"missing: {missing}; {normal.kept_back} changes wait for it"
        problems = (Problem(None, None, "waiting", detail=detail),)
    applied = _apply(normal.update)
    own = applied.opened()
    if not applied.is_whole or own.state_vector != normal.written:
        message = "the decoder does not take all of what Yjs shows of the file"
        raise DocumentUnavailableError("undecodable", message)
    return Opened(
        doc=own.doc,
        caught=own.caught,
        state_vector=normal.state_vector,
        problems=problems,
        repairs=tuple(Repair(found.path, found.detail) for found in normal.repaired),
        update=normal.update,
    )


def _trailing(content: Content, end: int, *, accept_trailing: bool) -> tuple[Problem, ...]:
    """Tell what a file is that goes on behind the end of its update.

    Two writes that a host does not wait for can both truncate and then both write; the shorter
    one, last, leaves the end of the other standing (83 of 400 bursts of 50). Yjs passes over it.
    In front of zeros, though, the update itself may be cut, and one without content may be the
    beginning of something else.
    """
    if end == content.size:
        return ()
    data = content.again()
    is_nothing = end <= len(_ZERO_TAIL)
    if not accept_trailing or is_nothing or not any(data[end : end + _ZEROS]):
        message = f"the file has {content.size} bytes, and its update ends at {end}"
        raise DocumentUnavailableError("torn", message)
    detail = f"{content.size} bytes in the file, {end} of them read"
    return (Problem(None, None, "unaccounted", detail=detail),)
