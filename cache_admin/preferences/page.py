"""The page on which people choose their language and time zone."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language_info, gettext_lazy
from django.utils.translation import gettext as _

from cache_admin.preferences.applying import find_preferences, find_zone, list_zones, save_preferences


class PreferencesForm(forms.Form):
    """Both may be left to the browser and the installation."""

    language = forms.ChoiceField(required=False, label=gettext_lazy("Language"))
    time_zone = forms.ChoiceField(
        required=False,
        label=gettext_lazy("Time zone"),
        help_text=gettext_lazy("All times are shown in it, and those that you write are read in it."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["language"].choices = list_languages()  # type: ignore[attr-defined]  # a ChoiceField
        self.fields["time_zone"].choices = group_zones()  # type: ignore[attr-defined]


def list_languages() -> list[tuple[str, str]]:
    """Each under the name that it has for itself: who does not understand the page finds his own."""
    named = [(code, str(get_language_info(code)["name_local"])) for code, _name in settings.LANGUAGES]
    return [("", _("As the browser asks for")), *named]


def group_zones() -> list[tuple[str, Any]]:
    """The zones by continent, as a list to choose from."""
    apart = [name for name in list_zones() if "/" not in name]
    placed = [name for name in list_zones() if "/" in name]
    groups = [
        (continent, [(name, name.split("/", 1)[1].replace("_", " ")) for name in names])
        for continent, names in groupby(placed, key=lambda name: name.split("/")[0])
    ]
    ours = _("The installation's: %s") % settings.TIME_ZONE
    return [("", ours), *((name, name) for name in apart), *groups]


def choose_preferences(request: HttpRequest) -> HttpResponse:
    """The page, and its form; saved, one is back where one came from, with everything in the new language and zone."""
    chosen = find_preferences(request.user)
    initial = {"language": chosen.language, "time_zone": chosen.time_zone}
    form = PreferencesForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid():
        return _save(request, form.cleaned_data)
    context = {
        **admin.site.each_context(request),
        "title": _("Language and time zone"),
        "form": form,
        "back": _find_way_back(request),
        "here": date_format(timezone.localtime(), "DATETIME_FORMAT"),
        "zone": str(find_zone(chosen)),
    }
    return TemplateResponse(request, "admin/preferences_page.html", context)


def _save(request: HttpRequest, wish: dict[str, str]) -> HttpResponse:
    save_preferences(request.user, language=wish["language"], time_zone=wish["time_zone"])
    with translation.override(wish["language"] or translation.get_language_from_request(request)):
        messages.success(request, _("Your language and time zone are saved."))
    return HttpResponseRedirect(_find_way_back(request))


def _find_way_back(request: HttpRequest) -> str:
    wish = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = url_has_allowed_host_and_scheme(wish, {request.get_host()}, require_https=request.is_secure())
    return wish if is_ours else reverse("admin:index")
