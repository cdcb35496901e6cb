"""What every test run says first: whether real Yjs takes part."""

import os
import signal
from collections.abc import Iterator

import hypothesis
import pytest

from scripts import nodejs

pytest_plugins = [
    "tests.support.bundles",
    "tests.support.oddities",
    "tests.support.sample_app",
    "tests.support.twenty",
    "tests.support.typescript",
]


os.environ.setdefault("SIDECAR_WARM_CHECK", "1")
"""Whatever goes the warm road in a test is decoded afresh as well, and both are compared."""

# How fast examples come is the machine's affair: beside other test workers they come slowly.
hypothesis.settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.register_profile(
    "quick", hypothesis.settings.get_profile("any machine"), max_examples=20
)
hypothesis.settings.load_profile("any machine")


def pytest_report_header() -> str:
    """Say whether documents are written by real Yjs or taken from the committed corpus."""
    missing = nodejs.missing()
    if missing is None:
        return f"yjs: real, by {nodejs.find_node()}"
    return f"yjs: only the committed corpus, tests/data/documents: {missing}"


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
    """Keep the settings of whoever runs the tests out of them, and our locks out of theirs."""
    state = tmp_path_factory.mktemp("state")
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith("SIDECAR_")]:
        del os.environ[name]
    os.environ["SIDECAR_STATE_DIR"] = str(state)
    yield
    os.environ.clear()
    os.environ.update(before)
