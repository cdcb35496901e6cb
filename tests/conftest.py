"""What holds for every test run: real Yjs or not, signals, settings, garbage collection."""

import gc
import os
import signal
from collections.abc import Iterator

import pytest

from scripts import nodejs
from tests.support.examples import register_profiles

pytest_plugins = [
    "tests.support.bundles",
    "tests.support.large",
    "tests.support.oddities",
    "tests.support.sample_app",
    "tests.support.twenty",
    "tests.support.typescript",
]


register_profiles()


def pytest_report_header() -> str:
    """Say whether documents are written by real Yjs or taken from the committed corpus."""
    missing = nodejs.missing()
    if missing is None:
        return f"yjs: real, by {nodejs.find_node()}"
    return f"yjs: only the committed corpus, tests/data/documents: {missing}"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Spread the ``long`` tests over the first half of what each of several workers begins with.

    Otherwise a run ends with one worker that waits, and nothing else to do. With ``worksteal`` each
    of N workers begins with an Nth of the tests, in their order, and gives away the last of them.
    """
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if workers == 1:
        return
    long = [item for item in items if item.get_closest_marker("long")]
    others = [item for item in items if not item.get_closest_marker("long")]
    items.clear()
    for worker in range(workers):
        share = others[len(others) * worker // workers : len(others) * (worker + 1) // workers]
        first = long[worker::workers]
        for number, item in enumerate(first, 1):
            share.insert(number * len(share) // (2 * len(first)), item)
        items.extend(share)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Leave modules and tests out of garbage collection: they stay."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _heard_signals() -> None:
    """Let the programs under test hear signals, also where the tests run without a terminal.

    ``nohup`` ignores SIGHUP, and a shell ignores SIGINT for what it starts in the background; both
    are handed down.
    """
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _own_state_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the settings of whoever runs the tests out of them, and our locks out of theirs.

    Each warm sync is compared with a fresh decode, as ``SIDECAR_WARM_CHECK`` asks for.
    """
    state = tmp_path_factory.mktemp("state")
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith("SIDECAR_")]:
        del os.environ[name]
    os.environ["SIDECAR_STATE_DIR"] = str(state)
    os.environ["SIDECAR_WARM_CHECK"] = "1"
    yield
    os.environ.clear()
    os.environ.update(before)
