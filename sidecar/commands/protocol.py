"""``protocol``: prints the types of the host protocol, generated from the code."""

import json
from importlib import resources

from sidecar.commands import OK
from sidecar.commands.arguments import Arguments, Parser
from sidecar.commands.terminal import say

EXAMPLES = (
    "epicenter-sidecar protocol --json-schema > protocol.schema.json",
    "epicenter-sidecar protocol --typescript > protocol.ts",
    "epicenter-sidecar protocol --typescript-client > src/sidecar.ts",
    "epicenter-sidecar protocol --better-sqlite3 > src/mirror.mjs",
)


def add_arguments(parser: Parser) -> None:
    """Add what ``protocol`` takes."""
    parser.usage = "epicenter-sidecar protocol (--json-schema | --typescript | ...)"
    kinds = parser.add_mutually_exclusive_group(required=True)
    kinds.add_argument(
        "--json-schema", action="store_true", help="events and commands, as JSON Schema"
    )
    kinds.add_argument("--typescript", action="store_true", help="the same, as TypeScript types")
    kinds.add_argument(
        "--typescript-client", action="store_true", help="a client in one file, for Tauri apps"
    )
    kinds.add_argument(
        "--better-sqlite3",
        action="store_true",
        help="a file for Node that reads the newest mirror through better-sqlite3",
    )


def run(arguments: Arguments) -> int:
    """Print it."""
    if arguments.typescript_client or arguments.better_sqlite3:
        name = "tauri.ts" if arguments.typescript_client else "better-sqlite3.mjs"
        file = resources.files("sidecar") / "host" / name
        say(file.read_text(encoding="utf-8").rstrip("\n"))
        return OK
    from sidecar.host.typescript import json_schema, typescript  # 8 ms

    text = json.dumps(json_schema(), indent=2) if arguments.json_schema else typescript()
    say(text.rstrip("\n"))
    return OK
