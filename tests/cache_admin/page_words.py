"""The words that a page shows or has read out, for tests that compare them."""

from __future__ import annotations

from html.parser import HTMLParser

SAID = ("title", "aria-label", "placeholder", "alt", "label")
SILENT = ("script", "style", "svg", "pre", "code", "template")
EMPTY = ("input", "br", "img", "link", "meta", "hr", "source", "col")


class PageWords(HTMLParser):
    """Collects texts, labels and buttons' names in `found`, each with single spaces."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Attributes that are read out, and those in which our scripts find their words."""
        self._silent += tag in SILENT
        given = {name: value or "" for name, value in attrs}
        spoken = [given.get(name, "") for name in SAID]
        spoken += [given.get("value", "")] if tag == "input" and given.get("type") in ("submit", "button") else []
        spoken += [value for name, value in given.items() if name.startswith("data-") and " " in value]
        for words in spoken:
            self._note(words)

    def handle_endtag(self, tag: str) -> None:
        """Inside a script nothing is said."""
        self._silent -= tag in SILENT

    def handle_data(self, data: str) -> None:
        """What is shown."""
        if not self._silent:
            self._note(data)

    def _note(self, words: str) -> None:
        if any(letter.isalpha() for letter in words):
            self.found.add(" ".join(words.split()))


def read_words(page: str) -> set[str]:
    """All that a person sees or hears of the page."""
    reader = PageWords()
    reader.feed(page)
    return reader.found
