"""``clean``: list the mirrors that this program has made, and remove them when asked."""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack

import msgspec

from sidecar.commands import OK
from sidecar.commands.arguments import Arguments, Parser, add_paths, settings_of
from sidecar.commands.layout import TextColumn
from sidecar.commands.render import print_json, print_line, print_table, size
from sidecar.commands.targets import find_mirrors
from sidecar.commands.terminal import plural
from sidecar.errors import MirrorUnavailableError
from sidecar.files import reason_of, shown
from sidecar.locks import lock
from sidecar.mirror.header import is_mirror
from sidecar.mirror.sqlite_files import last_good_of, remove_journals
from sidecar.names import is_mirror_name
from sidecar.settings import CHOICE, Settings

EXAMPLES = (
    "epicenter-sidecar clean ~/.local/share/com.example.app",
    "epicenter-sidecar clean --identifier com.example.app --yes",
    "epicenter-sidecar clean path/to/workspace --yes --last-good",
)

_LAST_GOOD = ".last-good.sqlite"
_COLUMNS = (
    TextColumn("file", in_middle=True, least=30),
    TextColumn("size", is_number=True),
    TextColumn("what"),
)


class CleanItem(msgspec.Struct, frozen=True):
    """One file of ours.

    Attributes:
        path: Where it is.
        bytes: Its size.
        last_good: Whether it is the copy that was kept when a document collapsed.
        removed: Whether it was removed.
    """

    path: str
    bytes: int
    last_good: bool
    removed: bool


class CleanReport(msgspec.Struct, frozen=True):
    """What ``--json`` prints."""

    mirrors: tuple[CleanItem, ...]


def add_arguments(parser: Parser) -> None:
    """Add what ``clean`` takes."""
    parser.epilog = (
        "Only files with this program's application_id are listed and removed;"
        "\ndocuments are never touched. Refused while a watch follows the folder."
        f"\n\n{parser.epilog}"
    )
    add_paths(parser, CHOICE)
    parser.add_argument("--yes", action="store_true", help="remove the mirrors")
    parser.add_argument(
        "--last-good",
        action="store_true",
        help="also the copies that were kept of collapsed documents",
    )
    parser.add_argument("--json", action="store_true", help="one JSON value")


def run(arguments: Arguments) -> int:
    """List mirrors, or remove them.

    Raises:
        LockedError: A ``watch`` follows one of the folders.
    """
    settings = settings_of(arguments)
    mirrors, folders = find_mirrors(settings)
    paths = sorted({*_of_documents(mirrors), *_orphans(folders)})
    with ExitStack() as locks:
        if arguments.yes:
            for path in _may_be_followed(settings, folders, mirrors):
                locks.enter_context(lock(settings.state_folder, "root", path))
        items = [
            _handle(path, removes=arguments.yes, with_kept=arguments.last_good) for path in paths
        ]
    if arguments.json:
        print_json(CleanReport(tuple(items)))
    else:
        _print(items, settings.roots, has_asked=arguments.yes)
    return OK


def _of_documents(mirrors: Iterable[str]) -> Iterator[str]:
    for mirror in mirrors:
        yield from (path for path in (mirror, last_good_of(mirror)) if _is_ours(path))


def _orphans(folders: Iterable[str]) -> Iterator[str]:
    """Yield the mirrors in some folders, also those without a document."""
    for folder in folders:
        try:
            names = os.listdir(folder)
        except OSError:
            continue
        for name in names:
            path = os.path.join(folder, name)
            if name.endswith(".sqlite") and is_mirror_name(name) and _is_ours(path):
                yield path


def _is_ours(path: str) -> bool:
    return not os.path.islink(path) and is_mirror(path)


def _may_be_followed(
    settings: Settings, folders: Iterable[str], mirrors: dict[str, str]
) -> list[str]:
    """Return every real path that a ``watch`` of these mirrors may have as its root, sorted."""
    found = {*settings.roots, *folders, *mirrors.values()}
    for root in settings.roots:
        above = os.path.dirname(os.path.realpath(root))
        while above not in found and above != os.path.dirname(above):
            found.add(above)
            above = os.path.dirname(above)
    return sorted({os.path.realpath(path) for path in found})


def _handle(path: str, *, removes: bool, with_kept: bool) -> CleanItem:
    """Remove a file, if requested, and return what was done.

    Raises:
        MirrorUnavailableError: It cannot be removed.
    """
    is_kept = path.endswith(_LAST_GOOD)
    removed = removes and (with_kept or not is_kept)
    count = os.stat(path).st_size
    if removed:
        try:
            os.unlink(path)
            remove_journals(path)
        except OSError as error:
            message = f"{shown(path)} cannot be removed: {reason_of(error)}"
            raise MirrorUnavailableError("denied", message) from error
    return CleanItem(shown(path), count, is_kept, removed)


def _print(items: list[CleanItem], roots: Sequence[str], *, has_asked: bool) -> None:
    top = shown(roots[0]) + os.sep if len(roots) == 1 else ""
    rows = [(item.path.removeprefix(top), size(item.bytes), _word(item)) for item in items]
    if rows:
        print_table(_COLUMNS, rows)
    mirrors = [item for item in items if not item.last_good]
    total = size(sum(item.bytes for item in mirrors))
    if not items:
        print_line("there are no mirrors here")
    elif not has_asked:
        place = f" in {shown(roots[0])}" if top else ""
        print_line(f"{plural(len(mirrors), 'mirror')}, {total}{place}; --yes removes them")
    if any(item.last_good and not item.removed for item in items):
        print_line(
            "kept: last rows of documents that collapsed; --yes --last-good removes them too"
        )


def _word(item: CleanItem) -> str:
    return "removed" if item.removed else "kept" if item.last_good else "mirror"
