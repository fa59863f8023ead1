"""Each person's language and time zone: kept with the person, in force on every page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation

from cache_admin.models import Preferences

Respond = Callable[[HttpRequest], HttpResponse]
NOTHING_CHOSEN = Preferences()
# Names of the IANA data base that name no place
_NO_PLACES = ("Etc/", "SystemV/", "US/", "Brazil/", "Canada/", "Chile/", "Mexico/", "posix/", "right/")


def apply_preferences(get_response: Respond) -> Respond:
    """A middleware after sessions and users: from here on texts and times are the person's own."""

    def respond(request: HttpRequest) -> HttpResponse:
        chosen = find_preferences(request.user)
        if _is_language(chosen.language):
            translation.activate(chosen.language)
            request.LANGUAGE_CODE = chosen.language  # as LocaleMiddleware does
        # Not taken back afterwards, as Django's own: a list that is streamed as a file is still being written then
        timezone.activate(find_zone(chosen))
        return get_response(request)

    return respond


def find_preferences(user: Any) -> Preferences:
    """What the person has chosen; empty for who has not, and for a visitor without a login."""
    found = Preferences.objects.filter(user_id=user.pk).first() if user.is_authenticated else None
    return found or NOTHING_CHOSEN


def save_preferences(user: Any, *, language: str, time_zone: str) -> None:
    """Keeps the choice; "" goes by the browser or the installation."""
    Preferences.objects.update_or_create(user=user, defaults={"language": language, "time_zone": time_zone})


def find_zone(chosen: Preferences) -> ZoneInfo:
    """The zone in which this person reads and writes times; the installation's if none is chosen, or none of that name is left."""
    return ZoneInfo(chosen.time_zone if chosen.time_zone in list_zones() else settings.TIME_ZONE)


@contextmanager
def work_for(user: Any) -> Iterator[None]:
    """Texts and times inside are the person's own, for work done for somebody outside a request; nobody's are the installation's."""
    chosen = NOTHING_CHOSEN if user is None else find_preferences(user)
    language = chosen.language if _is_language(chosen.language) else settings.LANGUAGE_CODE
    with translation.override(language), timezone.override(find_zone(chosen)):
        yield


@cache
def list_zones() -> tuple[str, ...]:
    """The time zones that people live in, by name, and UTC."""
    places = (name for name in available_timezones() if "/" in name and not name.startswith(_NO_PLACES))
    return ("UTC", *sorted({*places, settings.TIME_ZONE} - {"UTC"}))


def _is_language(code: str) -> bool:
    return code in dict(settings.LANGUAGES)
