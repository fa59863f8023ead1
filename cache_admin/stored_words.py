"""Sentences that are kept in rows: written in English whoever works, read by each person in the language of the page."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import ParamSpec, TypeVar

from django.utils.formats import number_format
from django.utils.translation import gettext, gettext_noop, override

P = ParamSpec("P")
R = TypeVar("R")
# Those with something filled in; the others are found by themselves
TEMPLATES = (
    gettext_noop("The same question as in row %d."),
    gettext_noop("“%s” is no time: write it as in 2027-01-31 or 2027-01-31 18:00."),
    gettext_noop(
        "“%(time)s” comes twice or never in %(zone)s, where the clocks change: add the offset, as in 2027-01-31 18:00+01:00."
    ),
    gettext_noop("The file has more than %d rows. Divide it."),
    gettext_noop("Row %(row)d is broken: %(error)s."),
    gettext_noop("Row %d is not UTF-8. In Excel save as “CSV UTF-8”, or as a workbook (.xlsx)."),
    gettext_noop("The first row must name the columns, one of them “question”. It says: %s."),
    gettext_noop("Item %d is no object with a question."),
    gettext_noop("Item %d is broken or too long."),
    gettext_noop("The file breaks off, or is broken, after item %d."),
    gettext_noop("Imported from %s"),
    gettext_noop("Typed for %s"),
    gettext_noop("By schedule: %s"),
    gettext_noop("After a change of %s"),
    gettext_noop("as version %d again"),
    gettext_noop("DynamoDB does not serve: %s"),
    gettext_noop(
        "Without comfort audio callers hear up to %(quiet)s seconds of silence, more than the %(most)s allowed:"
        " add comfort audio or shorten the interval and the first delay."
    ),
)
_FRACTION = re.compile(r"\d+\.\d+")
_PLACE = re.compile(r"%(?:\((\w+)\))?[ds]")


def in_english(write: Callable[P, R]) -> Callable[P, R]:
    """For functions that write such rows: what they say with gettext is kept in the language that can be translated."""

    def write_in_english(*args: P.args, **kwargs: P.kwargs) -> R:
        with override("en"):
            return write(*args, **kwargs)

    return write_in_english


def read_stored(text: str) -> str:
    """The sentence in the language of the page; what a person wrote, or nobody has translated, as it is."""
    return translate_sentence(text, TEMPLATES)


def translate_sentence(text: str, templates: tuple[str, ...], *, inner: Callable[[str], str] = str) -> str:
    """A whole English sentence in the language of the page, whatever is filled into it; `inner` translates that in its turn."""
    if not text:
        return ""
    for pattern, template in _list_patterns(templates):
        if found := pattern.fullmatch(text):
            return _fill(gettext(template), found, inner)
    return gettext(text)


@cache
def _list_patterns(templates: tuple[str, ...]) -> tuple[tuple[re.Pattern[str], str], ...]:
    """Those that say most themselves come first: "Use %s." is also the shape of longer sentences."""
    ordered = sorted(templates, key=lambda template: -len(_PLACE.sub("", template)))
    return tuple((_make_pattern(template), template) for template in ordered)


def _make_pattern(template: str) -> re.Pattern[str]:
    words, groups = _PLACE.split(template)[::2], [place[1] for place in _PLACE.finditer(template)]
    holes = [f"(?P<{name}>.*?)" if name else "(.*?)" for name in groups]
    pieces = [re.escape(words[0]), *(hole + re.escape(word) for hole, word in zip(holes, words[1:], strict=True))]
    return re.compile("".join(pieces), re.DOTALL)


def _fill(translated: str, found: re.Match[str], inner: Callable[[str], str]) -> str:
    """Numbers are texts by now; fractions get the language's own point."""

    def show(given: str) -> str:
        return str(number_format(given)) if _FRACTION.fullmatch(given) else inner(given)

    as_texts = _PLACE.sub(lambda place: f"%({place[1]})s" if place[1] else "%s", translated)
    named = {name: show(given) for name, given in found.groupdict().items()}
    return as_texts % (named or tuple(map(show, found.groups())))
