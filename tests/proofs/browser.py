"""A person at the admin, as far as HTTP goes: cookies are kept, forms are sent with their token."""

from __future__ import annotations

import http.client
import re
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urlsplit


class Browser:
    """One session at a site."""

    def __init__(self, url: str) -> None:
        self._host = urlsplit(url).netloc
        self._cookies: SimpleCookie = SimpleCookie()

    def get(self, path: str) -> tuple[int, str]:
        """A page: its status and text."""
        return self._send("GET", path, "")

    def post(self, path: str, **fields: str) -> tuple[int, str]:
        """Opens the form and sends it with these fields."""
        _, form = self.get(path)
        token = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', form)[0]
        version = dict(re.findall(r'name="(seen_version)" value="(\d+)"', form))
        return self._send("POST", path, urlencode({"csrfmiddlewaretoken": token, **version, **fields}))

    def _send(self, method: str, path: str, body: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection(self._host, timeout=60)
        cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in self._cookies.items())
        headers = {"Cookie": cookies, "Content-Type": "application/x-www-form-urlencoded"}
        connection.request(method, path, body, headers)
        reply = connection.getresponse()
        for cookie in reply.headers.get_all("Set-Cookie", []):
            self._cookies.load(cookie)
        text = reply.read().decode()
        connection.close()
        return reply.status, text
