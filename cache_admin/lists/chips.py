"""What a list is narrowed down to, as chips that can be taken away one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.timezone import is_naive, localtime
from django.utils.translation import gettext as _


@dataclass(frozen=True, slots=True)
class Chip:
    """One narrowing; `url` is the list without it."""

    name: str
    value: str
    url: str


def list_chips(cl: Any) -> list[Chip]:
    """What somebody chose of each filter (not what a filter shows by itself), and what came with a link and is no filter's."""
    chips: list[Chip] = []
    explained: set[str] = set()
    for spec in cl.filter_specs:
        wished = [name for name in spec.expected_parameters() if name in cl.params]
        chosen = [choice for choice in spec.choices(cl) if choice["selected"]] if wished else []
        if chosen:
            url = cl.get_query_string(remove=wished)
            chips.append(Chip(_capitalise(spec.title), str(chosen[0]["display"]), url))
            explained.update(wished)
    return [*chips, *_list_others(cl, explained)]


def _list_others(cl: Any, explained: set[str]) -> Iterator[Chip]:
    for name, values in cl.get_filters_params().items():
        if name not in explained:
            value = values[-1] if isinstance(values, list) else values
            field, _sep, lookup = name.partition("__")
            yield Chip(
                _name_field(cl.model, field), _tell(cl.model, field, lookup, value), cl.get_query_string(remove=[name])
            )


def _name_field(model: Any, name: str) -> str:
    try:
        return _capitalise(model._meta.get_field(name).verbose_name)
    except FieldDoesNotExist:
        return _capitalise(name.replace("_", " "))


def _tell(model: Any, field: str, lookup: str, value: Any) -> str:
    if lookup == "isnull":
        return _("none") if value in ("True", True) else _("any")
    moment = parse_datetime(value) if isinstance(value, str) and lookup in ("gte", "lt", "gt", "lte") else None
    if moment is not None:
        return (_("since %s") if lookup.startswith("g") else _("before %s")) % _show_moment(moment)
    return ", ".join(_name_choice(model, field, part) for part in str(value).split(","))


def _name_choice(model: Any, field: str, value: str) -> str:
    try:
        return str(dict(model._meta.get_field(field).flatchoices).get(value, value))
    except (FieldDoesNotExist, AttributeError):
        return value


def _show_moment(moment: datetime) -> str:
    return date_format(moment if is_naive(moment) else localtime(moment), "SHORT_DATETIME_FORMAT")


def _capitalise(words: Any) -> str:
    return str(capfirst(str(words)))
