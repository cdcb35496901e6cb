"""A document as Yjs makes it of one update: Yjs's own integration, step by step, in Python.

Follows ``readUpdateV2``, ``integrateStructs``, ``Item.getMissing``, ``Item.integrate`` and
``readAndApplyDeleteSet`` of Yjs 13.6 down to their order, for the cases in which the decoder does
otherwise: what waits for a lost update, edits inside a surrogate pair, clients that wrote twice.
Whether something deeper in a deleted type counts as deleted is not kept: nothing there is shown.
"""

from bisect import bisect_left, bisect_right

from sidecar.yjs.items import Item, Type
from sidecar.yjs.json_text import repair, to_any
from sidecar.yjs.update import (
    ANY,
    EMBED,
    FORMAT,
    GC,
    JSON,
    SKIP,
    STRING,
    Id,
    Ranges,
    Struct,
    UpdateReader,
)


class Document:
    """What Yjs holds after it has applied one update.

    Attributes:
        roots: By name.
        end: Where the update ends in the data.
        waiting: Client -> the first clock that is missing of it, for all that is kept back.
        kept_back: How many structs and deletions wait.
        may_be_cut: It ends in an empty deletion. Yjs writes such for structs of no element, and a
            lost end reads so, which is zeros.
    """

    def __init__(self, data: bytes) -> None:
        """Apply an update.

        Raises:
            ValueError: Yjs would refuse it; or no Yjs writes such a thing.
        """
        self.roots: dict[str, Type] = {}
        self.waiting: dict[int, int] = {}
        self.kept_back = 0
        self.may_be_cut = False
        self._clients: dict[int, _Structs] = {}
        self._aside: dict[int, int] = {}
        reader = UpdateReader(data)
        queues = self._read(reader, data)
        deleted = reader.deleted()
        self.end = reader.at
        _Integration(self, queues).run()
        self._delete(deleted)

    @property
    def state_vector(self) -> dict[int, int]:
        """Client -> clock, without what waits."""
        return {client: structs.state for client, structs in self._clients.items()}

    def root(self, name: str) -> Type:
        """Give a root, which is made when there is none."""
        found = self.roots.get(name)
        if found is None:
            found = self.roots[name] = Type(name=name)
        return found

    def state(self, client: int) -> int:
        """Give the clock up to which a client is held."""
        structs = self._clients.get(client)
        return structs.state if structs else 0

    def find(self, wanted: Id) -> Item:
        """Find the item that an element is in (Yjs ``getItem``).

        Raises:
            ValueError: It is not held; Yjs raises too.
        """
        structs = self._structs(wanted[0])
        return structs.items[structs.index(wanted[1])]

    def clean_start(self, wanted: Id) -> Item:
        """Find the item that begins with an element; cut one that holds it further in."""
        return self._structs(wanted[0]).clean_start(wanted[1])

    def clean_end(self, wanted: Id) -> Item:
        """Find the item that ends with an element; cut one that goes on behind it."""
        return self._structs(wanted[0]).clean_end(wanted[1])

    def add(self, item: Item) -> None:
        """Add the next struct of its client."""
        structs = self._clients.get(item.client)
        if structs is None:
            structs = self._clients[item.client] = _Structs()
        structs.add(item)

    def put_aside(self, item: Item, count: int) -> None:
        """Note structs of one client that wait, from an item on.

        Raises:
            ValueError: It holds nothing and builds on nothing, as where a file has a hole.
        """
        if not item.length and item.kind != STRING:
            message = f"{item.client}:{item.clock} holds nothing, as where a part is lost"
            raise ValueError(message)
        self.kept_back += count
        self._aside.setdefault(item.client, item.clock)

    def miss(self, client: int) -> None:
        """Note a client that something waits for, unless that itself is there and waits."""
        if self._aside.get(client) != self.state(client):
            self.waiting[client] = self.state(client)

    def _structs(self, client: int) -> "_Structs":
        structs = self._clients.get(client)
        if structs is None:
            message = f"nothing is held of the client {client}"
            raise ValueError(message)
        return structs

    def _read(self, reader: UpdateReader, data: bytes) -> dict[int, "_Queue"]:
        """Read the structs of each client; of two sections of one client Yjs takes the later."""
        queues: dict[int, _Queue] = {}
        for client, structs in reader.sections():
            queues[client] = _Queue([self._item(found, end, data) for found, end in structs])
        return queues

    def _item(self, found: Struct, end: int, data: bytes) -> Item:
        if found.kind == GC and not found.length and not any(data[found.at :]):
            message = f"nothing but zeros from {found.client}:{found.clock} on"
            raise ValueError(message)
        if isinstance(found.parent, str):
            self.root(found.parent)  # Yjs makes it while it reads
        return Item(
            found.client,
            found.clock,
            found.length,
            found.kind,
            origin=found.left,
            right_origin=found.right,
            parent=found.parent,
            key=found.key,
            content=_content(found, data[found.at : end]),
        )

    def _delete(self, deleted: Ranges) -> None:
        """Apply a delete set (Yjs ``readAndApplyDeleteSet``).

        Raises:
            ValueError: It waits with nothing in it, which Yjs cannot keep.
        """
        self.may_be_cut = self._ends_in_nothing(deleted)
        for client, ranges in deleted.items():
            structs = self._clients.get(client)
            state = self.state(client)
            for clock, length in ranges:
                if not length and clock >= state and not self._holds_nothing_at(client, clock):
                    message = f"{client}:{clock}, of which nothing is deleted, is not held"
                    raise ValueError(message)
                if length and clock + length > state:
                    self.miss(client)
                    self.kept_back += 1
                if clock < state and structs:
                    structs.delete(clock, clock + length)

    def _ends_in_nothing(self, deleted: Ranges) -> bool:
        if not deleted:
            return False
        client, ranges = next(reversed(deleted.items()))
        if not ranges or ranges[-1][1]:
            return False
        return not self._holds_nothing_at(client, ranges[-1][0])

    def _holds_nothing_at(self, client: int, clock: int) -> bool:
        """Tell whether a struct without elements stands there, as an embed ``''`` is one."""
        structs = self._clients.get(client)
        return bool(structs and structs.holds_nothing_at(clock))


class _Structs:
    """The structs of one client, in the order of their clocks."""

    __slots__ = ("clocks", "items", "state")

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.clocks: list[int] = []
        self.state = 0

    def add(self, item: Item) -> None:
        if item.clock != self.state:
            message = f"{item.client}:{item.clock} does not follow on {self.state}"
            raise ValueError(message)
        self.items.append(item)
        self.clocks.append(item.clock)
        self.state = item.clock + item.length

    def index(self, clock: int) -> int:
        """Find the struct with a clock; as in Yjs the last one even when it has no element."""
        is_held = clock < self.state or (self.clocks and clock == self.clocks[-1])
        if not is_held:
            message = f"clock {clock} is not held"
            raise ValueError(message)
        return bisect_right(self.clocks, clock) - 1

    def holds_nothing_at(self, clock: int) -> bool:
        """Tell whether a struct without elements stands at a clock."""
        at = bisect_left(self.clocks, clock)
        return any(not item.length for item in self.items[at : bisect_right(self.clocks, clock)])

    def clean_start(self, clock: int) -> Item:
        index = self.index(clock)
        item = self.items[index]
        if item.clock < clock and item.kind != GC:
            return self._split(index, clock - item.clock)
        return item

    def clean_end(self, clock: int) -> Item:
        index = self.index(clock)
        item = self.items[index]
        if clock != item.clock + item.length - 1 and item.kind != GC:
            self._split(index, clock - item.clock + 1)
        return item

    def delete(self, clock: int, end: int) -> None:
        index = self.index(clock)
        item = self.items[index]
        if not item.deleted and item.clock < clock:
            self._split(index, clock - item.clock)
            index += 1
        while index < len(self.items):
            item = self.items[index]
            if item.clock >= end:
                break
            if not item.deleted:
                if end < item.clock + item.length:
                    self._split(index, end - item.clock)
                item.deleted = True
            index += 1

    def _split(self, index: int, at: int) -> Item:
        right = self.items[index].split(at)
        self.items.insert(index + 1, right)
        self.clocks.insert(index + 1, right.clock)
        return right


class _Queue:
    """The structs of one client that are still to be integrated."""

    __slots__ = ("at", "items")

    def __init__(self, items: list[Item]) -> None:
        self.items = items
        self.at = 0

    @property
    def is_done(self) -> bool:
        return self.at == len(self.items)

    def take(self) -> Item:
        self.at += 1
        return self.items[self.at - 1]


class _Integration:
    """One run of Yjs's ``integrateStructs``."""

    def __init__(self, document: Document, queues: dict[int, _Queue]) -> None:
        self._document = document
        self._queues = queues
        self._order = sorted(queues)
        self._stack: list[Item] = []
        self._missing: set[int] = set()

    def run(self) -> None:
        """Integrate all that can be; what cannot is counted in the document."""
        queue = self._next_queue()
        while queue is not None:
            head = queue.take()
            while True:
                following = self._step(head)
                if following is None:
                    if not self._stack:
                        break
                    following = self._stack.pop()
                head = following
            if queue.is_done:
                queue = self._next_queue()
        for client in sorted(self._missing):
            self._document.miss(client)

    def _next_queue(self) -> _Queue | None:
        while self._order:
            queue = self._queues.get(self._order[-1])
            if queue is not None and not queue.is_done:
                return queue
            self._order.pop()
        return None

    def _step(self, head: Item) -> Item | None:
        """Integrate a struct, or give the one that must come before it."""
        if head.kind == SKIP:
            return None
        document = self._document
        if document.state(head.client) < head.clock:
            self._put_aside(head, head.client)
            return None
        missing = _missing(head, document)
        if missing is not None:
            queue = self._queues.get(missing)
            if queue is None or queue.is_done:
                self._put_aside(head, missing)
                return None
            self._stack.append(head)
            return queue.take()
        _resolve(head, document)
        _integrate(head, document)
        return None

    def _put_aside(self, head: Item, missing: int) -> None:
        """Keep back a struct, all that waits for it, and what their clients wrote later."""
        self._missing.add(missing)
        for item in (*self._stack, head):
            queue = self._queues.pop(item.client, None)
            later = len(queue.items) - queue.at if queue else 0
            self._document.put_aside(item, 1 + later)
            if queue:
                queue.at = len(queue.items)
        self._stack.clear()


def _missing(item: Item, document: Document) -> int | None:
    """Name the client that must be integrated further before an item (``Item.getMissing``)."""
    if item.kind == GC:
        return None
    parent = item.parent if isinstance(item.parent, tuple) else None
    for wanted in (item.origin, item.right_origin, parent):
        if wanted and wanted[0] != item.client and wanted[1] >= document.state(wanted[0]):
            return wanted[0]
    return None


def _resolve(item: Item, document: Document) -> None:
    """Find neighbours and parent of an item (the second half of ``Item.getMissing``)."""
    if item.kind == GC:
        return
    if item.origin:
        item.left = document.clean_end(item.origin)
        item.origin = item.left.last_id
    if item.right_origin:
        item.right = document.clean_start(item.right_origin)
        item.right_origin = (item.right.client, item.right.clock)
    left, right = item.left, item.right
    if (left and left.kind == GC) or (right and right.kind == GC):
        item.parent = None
    elif isinstance(item.parent, str):
        item.parent = document.root(item.parent)
    elif isinstance(item.parent, tuple):
        item.parent = document.find(item.parent).type
    elif neighbour := left or right:
        item.parent, item.key = neighbour.parent, neighbour.key


def _integrate(item: Item, document: Document) -> None:
    """Put an item into its place (``Item.integrate``).

    Nothing is held of an item before, for the structs of a client follow on each other.
    """
    parent = item.parent
    if item.kind == GC or not isinstance(parent, Type):
        document.add(Item(item.client, item.clock, item.length, GC))
        return
    left, right = item.left, item.right
    if (left is None and (right is None or right.left is not None)) or (
        left is not None and left.right is not right
    ):
        item.left = left = _left_of(item, parent, document)
    if left is not None:
        right, left.right = left.right, item
    else:
        right = _first(parent, item.key)
        if item.key is None:
            parent.start = item
    item.right = right
    if right is not None:
        right.left = item
    elif item.key is not None:
        parent.map[item.key] = item
        if left is not None:
            left.deleted = True
    document.add(item)
    if item.key is not None and right is not None:
        item.deleted = True


def _left_of(item: Item, parent: Type, document: Document) -> Item | None:
    """Find what an item comes behind among others written at the same place."""
    left = item.left
    other = left.right if left is not None else _first(parent, item.key)
    conflicting: set[Item] = set()
    before: set[Item] = set()
    while other is not None and other is not item.right:
        before.add(other)
        conflicting.add(other)
        if item.origin == other.origin:
            if other.client < item.client:
                left = other
                conflicting.clear()
            elif item.right_origin == other.right_origin:
                break
        elif other.origin is not None and (origin := document.find(other.origin)) in before:
            if origin not in conflicting:
                left = other
                conflicting.clear()
        else:
            break
        other = other.right
    return left


def _first(parent: Type, key: str | None) -> Item | None:
    if key is None:
        return parent.start
    item = parent.map.get(key)
    while item is not None and item.left is not None:
        item = item.left
    return item


def _content(found: Struct, content: bytes) -> str | bytes | list[str]:
    """Take the content of a struct apart as far as a cut needs it."""
    reader = UpdateReader(content)
    if found.kind in {EMBED, FORMAT}:
        if found.kind == FORMAT:
            reader.text()
        repair(reader.text())  # Yjs reads it at once, wherever it is
    if found.kind not in {STRING, JSON, ANY}:
        return content
    if found.kind == STRING:
        return reader.text()
    reader.number()
    if found.kind == ANY:
        return content[reader.at :]
    texts = [reader.text() for _ in range(found.length)]
    for text in texts:
        to_any(text)
    return texts
