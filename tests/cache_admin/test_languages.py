"""The German texts: all there, whole, compiled, and on every page."""

from __future__ import annotations

import ast
import gettext
import os
import re
import shutil
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

from cache_admin.permission_words import list_own_permissions

ROOT = Path(settings.BASE_DIR)
CATALOGS = ROOT / "cache_admin" / "locale" / "de" / "LC_MESSAGES"
SOURCES = ("cache_admin", "connectgenai", "flows", "jobs", "templates")
DOMAINS = ("django", "djangojs")
# Names, and words that are the same in both languages
SAME = {
    "Chat",
    "Flow",
    "Linter",
    "Markdown",
    "Name",
    "PDF",
    "SSML",
    "Status",
    "Text",
    "Version",
    "Word",
    "Code",
    "JSON",
}
PLACE = re.compile(r"%(?:\(\w+\))?[sd%]|\{\w*\}")


@dataclass(slots=True)
class Entry:
    """One text of a catalog with its German; two, if it has a plural."""

    texts: list[str] = field(default_factory=list)
    german: list[str] = field(default_factory=list)
    is_fuzzy: bool = False


def read_catalog(path: Path) -> Iterator[Entry]:
    """The entries of a .po file but for its header; only what our own files use of the format."""
    for block in path.read_text(encoding="utf-8").strip().split("\n\n"):
        entry, into = Entry(), None
        for line in block.splitlines():
            entry.is_fuzzy = entry.is_fuzzy or (line.startswith("#,") and "fuzzy" in line)
            if found := re.match(r'(msgid|msgstr)(?:_plural|\[\d\])? (".*")$', line):
                into = entry.texts if found[1] == "msgid" else entry.german
                into.append(ast.literal_eval(found[2]))
            elif line.startswith('"') and into:
                into[-1] += ast.literal_eval(line)
        if entry.texts and entry.texts[0]:
            yield entry


def list_entries() -> list[Entry]:
    return [entry for domain in DOMAINS for entry in read_catalog(CATALOGS / f"{domain}.po")]


def name_places(text: str) -> list[str]:
    return sorted(place for place in PLACE.findall(text) if place != "%%")


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the sources whose catalogs have been brought up to date with them."""
    if not shutil.which("xgettext") and not os.environ.get("CI"):
        pytest.skip("xgettext is not installed (Debian: apt-get install gettext)")
    for name in SOURCES:
        ignored = shutil.ignore_patterns("__pycache__", "migrations", "vendor", "*.mo")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(settings, "LOCALE_PATHS", [tmp_path / "cache_admin" / "locale"])
    call_command("makemessages", locale=["de"], verbosity=0)
    return tmp_path / "cache_admin" / "locale" / "de" / "LC_MESSAGES"


@pytest.mark.filterwarnings("default")  # xgettext warns of a text as soon as it looks odd
def test_every_text_of_the_sources_has_a_german_one(fresh: Path) -> None:
    entries = [entry for domain in DOMAINS for entry in read_catalog(fresh / f"{domain}.po")]
    assert len(entries) > 900
    assert [entry.texts[0] for entry in entries if entry.is_fuzzy or not all(entry.german)] == []


def test_every_text_of_the_catalogs_is_whole() -> None:
    for entry in list_entries():
        assert entry.german, entry.texts
        assert all(text.strip() for text in entry.german), entry.texts
        assert len(entry.german) == len(entry.texts), entry.texts
        assert not entry.is_fuzzy, entry.texts


def test_what_is_filled_in_is_the_same_in_both_languages() -> None:
    for entry in list_entries():
        for english, german in zip(entry.texts, entry.german, strict=True):
            assert name_places(german) == name_places(english), german


def test_a_text_begins_and_ends_as_the_english_one_does() -> None:
    """A sentence stays a sentence, and spaces at the edges stay where they are."""
    for entry in list_entries():
        for english, german in zip(entry.texts, entry.german, strict=True):
            assert (english[:1].isspace(), english[-1:].isspace()) == (german[:1].isspace(), german[-1:].isspace()), (
                german
            )
            assert english.endswith((".", "?")) == german.endswith((".", "?")), (english, german)


def test_what_is_compiled_is_what_is_written() -> None:
    """The site reads the .mo files: nobody needs gettext to run it, and none of them may be left behind."""
    for domain in DOMAINS:
        entries, compiled = list(read_catalog(CATALOGS / f"{domain}.po")), CATALOGS / f"{domain}.mo"
        with compiled.open("rb") as file:
            count = struct.unpack("<I", file.read(12)[8:])[0]
        with compiled.open("rb") as file:
            known = gettext.GNUTranslations(file)
        assert count == len(entries) + 1, "run manage.py compilemessages"
        for entry in entries:
            one, *more = entry.texts
            found = [known.ngettext(one, more[0], n) for n in (1, 2)] if more else [known.gettext(one)]
            assert found == entry.german, "run manage.py compilemessages"


def test_every_right_of_ours_has_a_german_name() -> None:
    known = {entry.texts[0] for entry in list_entries()}
    assert {name for _, name in list_own_permissions()} <= known
