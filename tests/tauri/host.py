"""A Tauri application for the tests: runs one page and carries words between it and the tests.

Run by the interpreter of the host's own environment, the only one that has pytauri:
``python host.py SRC_TAURI FRONTEND_FOLDER [CAPABILITY...]``. Lines of JSON on stdin go to the page
as ``do`` events, what the page reports goes to stdout. ``{"do": "quit"}`` and the end of stdin are
the normal exit.
"""

import json
import sys
from pathlib import Path
from threading import Thread

from anyio.from_thread import start_blocking_portal
from pytauri import (  # type: ignore[import-not-found] # the host's environment
    AppHandle,
    Commands,
    Emitter,
)
from pytauri_plugins import fs, shell  # type: ignore[import-not-found] # the host's environment
from pytauri_wheel.lib import (  # type: ignore[import-not-found] # the host's environment
    builder_factory,
    context_factory,
)


async def report(body: bytes) -> bytes:
    """Print one line that the page sent; answer null."""
    sys.stdout.write(json.dumps(json.loads(bytes(body))) + "\n")
    sys.stdout.flush()
    return b"null"


def main() -> int:
    """Run the app until it is told to quit; return its exit code."""
    commands = Commands()
    commands.set_command("report", report)
    src_tauri, frontend, *capabilities = sys.argv[1:]
    config: dict[str, object] = {"build": {"frontendDist": frontend}}
    if capabilities:  # all that are in the folder, when none is named
        config["app"] = {"security": {"capabilities": capabilities}}
    with start_blocking_portal("asyncio") as portal:
        app = builder_factory().build(
            context=context_factory(Path(src_tauri), tauri_config=config),
            invoke_handler=commands.generate_handler(portal),
            plugins=[fs.init(), shell.init()],
        )
        Thread(target=obey, args=(app.handle(),), daemon=True).start()
        return int(app.run_return())


def obey(handle: AppHandle) -> None:
    """Pass commands on to the page, one a line, until the app is to quit."""
    for line in sys.stdin:
        if json.loads(line)["do"] == "quit":
            break
        Emitter.emit_str(handle, "do", line.strip())
    handle.exit(0)


if __name__ == "__main__":
    sys.exit(main())
