"""The admin over HTTP, as a browser would use it: cookies, redirects, and forms sent back as they came, but for what is changed."""

from __future__ import annotations

import urllib.parse
import urllib.request
from html.parser import HTMLParser
from http.cookiejar import CookieJar

TIMEOUT_SECONDS = 30


class Site:
    """Somebody's session."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))

    def log_in(self, *, username: str, password: str) -> None:
        """Signs in by the form."""
        self.send_form("/admin/login/?next=/admin/", {"username": username, "password": password}, field="password")

    def read(self, path: str) -> str:
        """A page."""
        with self._opener.open(self.url + path, timeout=TIMEOUT_SECONDS) as reply:
            text: str = reply.read().decode()
        return text

    def send_form(self, path: str, changes: dict[str, str | list[str]], *, field: str) -> str:
        """The page that follows when the form which has this field is filled in and sent; LookupError without such a form."""
        found = _Forms()
        found.feed(self.read(path))
        form = next((fields for fields in found.forms if any(name == field for name, _ in fields)), None)
        if form is None:
            raise LookupError(f"{path} has no form with a field {field!r}")
        values = [(name, value) for name, value in form if name not in changes]
        for name, value in changes.items():
            values += [(name, value)] if isinstance(value, str) else [(name, each) for each in value]
        return self._post(path, values)

    def press(self, path: str, *, on: str) -> str:
        """The page that follows when a button on the page `on` is pressed that posts to `path`."""
        found = _Forms()
        found.feed(self.read(on))
        token = next(value for form in found.forms for name, value in form if name == "csrfmiddlewaretoken")
        return self._post(path, [("csrfmiddlewaretoken", token)])

    def _post(self, path: str, values: list[tuple[str, str]]) -> str:
        body = urllib.parse.urlencode(values).encode()
        wish = urllib.request.Request(self.url + path, body, {"Referer": self.url + path, "Origin": self.url})
        with self._opener.open(wish, timeout=TIMEOUT_SECONDS) as reply:
            text: str = reply.read().decode()
        return text


class _Forms(HTMLParser):
    """The fields of each form, with the values that a browser would send; buttons are left out."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[list[tuple[str, str]]] = []
        self._area = self._select = ""
        self._text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        name, value = known.get("name") or "", known.get("value")
        if tag == "form":
            self.forms.append([])
        elif tag == "textarea":
            self._area, self._text = name, []
        elif tag == "select":
            self._select = name
        elif tag == "option" and "selected" in known:
            self._add(self._select, value or "")
        elif tag == "input" and known.get("type") not in ("submit", "button", "file"):
            is_off = known.get("type") in ("checkbox", "radio") and "checked" not in known
            self._add(
                "" if is_off else name, "on" if value is None and known.get("type") == "checkbox" else value or ""
            )

    def handle_data(self, data: str) -> None:
        self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._add(self._area, "".join(self._text).removeprefix("\n"))

    def _add(self, name: str, value: str) -> None:
        if name and self.forms:
            self.forms[-1].append((name, value))
