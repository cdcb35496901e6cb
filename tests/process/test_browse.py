"""``browse``: Datasette over mirrors, in a real browser, while a document is edited."""

import http.client
import os
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.apps import document_path
from tests.support.documents import document
from tests.support.program import Watch, program, sync
from tests.support.systems import needs_package

pytestmark = needs_package("datasette")

CHROMIUM = next(
    (
        found
        for name in ("chromium-headless-shell", "chromium", "google-chrome")
        if (found := shutil.which(name))
    ),
    None,
)
PAGES = ("/", "/Juniper~20Studio", "/Juniper~20Studio/notes", "/Juniper~20Studio/notes/r1")


class Site(NamedTuple):
    """A running server: its address and its access token."""

    port: int
    token: str

    def get(self, path: str, **headers: str) -> tuple[int, dict[str, str], str]:
        """Request one page; return status, headers and text."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        text = answer.read().decode("utf-8", "replace")
        connection.close()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, text

    def enter(self) -> dict[str, str]:
        """Open the link, and return the headers that further requests need."""
        status, headers, _ = self.get(f"/?token={self.token}")
        assert (status, headers["location"]) == (303, "/")
        assert "HttpOnly" in headers["set-cookie"]
        assert "SameSite=Strict" in headers["set-cookie"]
        return {"Cookie": headers["set-cookie"].split(";")[0]}


@contextmanager
def browsing(root: Path, *options: str) -> Iterator[Site]:
    """Serve the mirrors of a folder."""
    process = subprocess.Popen(
        [*program(), "browse", "--no-open", *options, str(root)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ,
    )
    assert process.stdout is not None
    try:
        link = process.stdout.readline()
        found = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/\?token=([\w-]+)\n", link)
        assert found is not None, link
        yield Site(int(found[1]), found[2])
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        process.stdout.close()


def test_only_who_has_the_link_comes_in(app: Path) -> None:
    """The link works once, on this machine's name; web pages and other users get no access."""
    with browsing(app) as site:
        assert site.get("/")[0] == 403
        assert site.get("/?token=wrong")[0] == 403
        assert site.get(f"/?token={site.token}", Host="evil.example")[0] == 421
        assert site.get(f"/?token={site.token}", Host=f"evil.example:{site.port}")[0] == 421
        known = site.enter()
        assert site.get(f"/?token={site.token}")[0] == 403
        assert site.get("/", **known)[0] == 200
        assert site.get("/", Host=f"localhost:{site.port}", **known)[0] == 200
        assert site.get("/", Host="evil.example", **known)[0] == 421
        assert site.get("/", Cookie="sidecar=wrong")[0] == 403
        assert site.get("/", Cookie="\xff;;=")[0] == 403


@pytest.fixture(scope="module")
def visited(app_built: Path) -> Iterator[tuple[Site, dict[str, str]]]:
    """A server over mirrors that stay as they are, and the cookie of somebody who came in."""
    with browsing(app_built) as site:
        yield site, site.enter()


def test_pages_show_the_apps_words(visited: tuple[Site, dict[str, str]]) -> None:
    """Names and icons, labels, descriptions, facets, JSON with line breaks, search."""
    site, known = visited
    _, _, first = site.get("/", **known)
    assert "🌿 Juniper Studio" in first
    assert "in step, published" in first
    status, _, page = site.get("/Juniper~20Studio/projects", **known)
    assert status == 200
    assert "What we are making" in page
    assert "_facet=status" in page or "status=lead" in page
    assert "tags__arraycontains" in page
    assert "Id in clients" in page
    _, _, page = site.get("/Juniper~20Studio/notes?_search=kettle", **known)
    assert "no-3" in page
    assert "no-1" not in page
    _, _, page = site.get("/Juniper~20Studio/clients/cl-tea", **known)
    assert "Čajovna" in page


@pytest.mark.parametrize(
    "sql", ["attach+'/etc/passwd'+as+x", "delete+from+notes", "select+load_extension('x')"]
)
def test_sql_in_a_page_reads_and_does_nothing_else(
    sql: str, visited: tuple[Site, dict[str, str]]
) -> None:
    """As with query."""
    site, known = visited
    assert site.get(f"/Juniper~20Studio?sql={sql}", **known)[0] == 400


def test_rebuilds_show_at_once_and_refuse_no_request(app: Path, studio: Path) -> None:
    """While a document is edited all the time, every request gets the newest page."""
    path = studio / "workspace.yjs"
    path.write_bytes(document(3))
    stop = threading.Event()
    saves = 0

    def edit() -> None:
        nonlocal saves
        while not stop.wait(0.05):
            saves += 1
            path.write_bytes(document(3 + saves % 7, title=f"save {saves}", client=saves + 1))

    with Watch(app, "--debounce-ms", "10", "--max-load", "8") as watch:
        watch.until("ready")
        with browsing(app) as site:
            known = site.enter()
            editor = threading.Thread(target=edit)
            editor.start()
            try:
                answers = [site.get(page, **known)[0] for _ in range(5) for page in PAGES]
            finally:
                stop.set()
                editor.join()
            assert set(answers) == {200}
            path.write_bytes(document(2, title="the last", client=99_999))
            while watch.until("rebuilt")["rows"] != 2:
                pass
            _, _, page = site.get("/Juniper~20Studio/notes", **known)
            assert "the last 1" in page
    assert saves > 3


def test_a_workspace_that_comes_is_on_the_first_page(app: Path) -> None:
    """The next time that is loaded, with its tables; what was there stays."""
    with browsing(app, "--all") as site:  # the sample's registry does not list it
        known = site.enter()
        assert "newcomer" not in site.get("/", **known)[2]
        path = document_path(app, "newcomer")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(document(4))
        sync(app)
        _, _, first = site.get("/", **known)
        assert "newcomer" in first
        assert "Juniper Studio" in first
        status, _, page = site.get("/newcomer/notes", **known)
        assert status == 200
        assert "4 rows" in page


@pytest.mark.long
@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")
def test_a_real_browser_shows_it(app: Path, tmp_path: Path) -> None:
    """The link opens the first page; the cookie opens the next one."""
    assert CHROMIUM is not None
    with browsing(app) as site:

        def show(path: str) -> str:
            flags = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=5000"]
            done = subprocess.run(
                [
                    *(str(CHROMIUM), *flags, f"--user-data-dir={tmp_path / 'profile'}"),
                    *("--dump-dom", f"http://127.0.0.1:{site.port}{path}"),
                ],
                capture_output=True,
                encoding="utf-8",
                timeout=120,
                check=False,
            )
            return done.stdout

        first = show(f"/?token={site.token}")
        assert "<h1>Workspaces</h1>" in first
        assert "Juniper Studio" in first
        assert "it works once" in show(f"/?token={site.token}&again=1") or "Workspaces" in first
