"""Who may ask a server on this machine: whoever has the link, from this machine, by its name.

Other users of the machine can reach its ports, and so can any web page through the browser. So a
link works once and leaves a cookie; and a request that names another host is refused, which a
page that has its name point at this machine would do.
"""

import hmac
import secrets
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

COOKIE = "sidecar"
_DAY_S = 86_400
_NO_KEY = "open the link that epicenter-sidecar browse printed; it works once"


class Doorkeeper:
    """An ASGI application that lets requests through to another.

    Attributes:
        token: What the link holds; it opens the door once.
    """

    def __init__(self, app: Any, port: int) -> None:
        """Make a new token."""
        self.token: str | None = secrets.token_urlsafe(24)
        self._app = app
        self._session = secrets.token_urlsafe(24)
        self._hosts = {f"127.0.0.1:{port}".encode(), f"localhost:{port}".encode()}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request, or have it answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        if headers.get(b"host") not in self._hosts:
            await _say(send, 421, "this server answers to 127.0.0.1 and localhost alone")
        elif self._is_known(headers.get(b"cookie", b"")):
            await self._app(scope, receive, send)
        elif self._takes(scope["query_string"]):
            cookie = f"{COOKIE}={self._session}; HttpOnly; SameSite=Strict; Path=/"
            await _redirect(send, scope["path"], f"{cookie}; Max-Age={_DAY_S}")
        else:
            await _say(
                send, 403, "open the link that epicenter-sidecar browse printed; it works once"
            )

    def _is_known(self, header: bytes) -> bool:
        try:
            cookies = SimpleCookie(header.decode("latin-1"))
        except CookieError:
            return False
        return COOKIE in cookies and hmac.compare_digest(cookies[COOKIE].value, self._session)

    def _takes(self, query: bytes) -> bool:
        given = parse_qs(query.decode("latin-1")).get("token", [""])[0]
        if self.token is None or not hmac.compare_digest(
            given.encode("utf-8", "replace"), self.token.encode()
        ):
            return False
        self.token = None
        return True


async def _redirect(send: Any, path: str, cookie: str) -> None:
    location = path if path.startswith("/") and not path.startswith("//") else "/"
    headers = [
        (b"location", location.encode("latin-1", "replace")),
        (b"set-cookie", cookie.encode()),
    ]
    await send({"type": "http.response.start", "status": 303, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


async def _say(send: Any, status: int, text: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode() + b"\n"})
