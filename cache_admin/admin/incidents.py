"""The incident switch: what is on, switching on and off, and what has been."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from cache_admin import gateways
from cache_admin.admin.incident_words import describe_voice, read_wishes, show_state, show_topic
from cache_admin.admin.keyset import KeysetAdmin
from cache_admin.incidents.forms import LASTS, OTHER, IncidentForm, ProlongForm
from cache_admin.incidents.switching import (
    TopicTakenError,
    end_incident,
    find_running,
    prolong_incident,
    resume_incident,
    start_incident,
)
from cache_admin.models import Incident, IncidentTopic, Topic
from cache_admin.people.scope import everything, reaches
from cache_admin.services.voice import listen
from connectgenai.wire.store import StoreError

RIGHT = "cache_admin.switch_incident"
_DOWN = _("DynamoDB does not serve at the moment: nothing was switched on. What you wrote is kept; try again.")


@admin.register(Incident)
class IncidentAdmin(KeysetAdmin[Incident]):
    """The record of incidents, and the switch."""

    list_display = ("what", "where", "state", "started_at", "started_by", "end")
    list_select_related = ("started_by", "ended_by")
    sortable_by = ("started_at",)
    ordering = ("-started_at",)
    change_list_template = "admin/cache_admin/incident/change_list.html"

    # -- rights

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whoever may look or switch."""
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Incident | None = None) -> bool:
        """Who may switch may look."""
        return super().has_view_permission(request, obj) or request.user.has_perm(RIGHT)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Switching on has a right of its own."""
        return request.user.has_perm(RIGHT)

    def has_change_permission(self, request: HttpRequest, obj: Incident | None = None) -> bool:
        """What was said was said."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Incident | None = None) -> bool:
        """The record is kept."""
        return False

    # -- the list

    def get_queryset(self, request: HttpRequest) -> Any:
        """With the topics."""
        return super().get_queryset(request).prefetch_related("topics")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """What is on stands above what was."""
        running = list(find_running(now=timezone.now()).select_related("started_by").prefetch_related("topics"))
        context = {"running": running, "may_switch": request.user.has_perm(RIGHT), "title": gettext("Incidents")}
        return super().changelist_view(request, {**context, **(extra_context or {})})

    @admin.display(description=_("text"))
    def what(self, incident: Incident) -> str:
        """As much of it as tells it apart."""
        return f"{incident.text[:120]}…" if len(incident.text) > 120 else incident.text

    @admin.display(description=_("topics"))
    def where(self, incident: Incident) -> str:
        """All that were meant."""
        names = ", ".join(row.topic for row in incident.topics.all())
        count = len(incident.questions)
        questions = ngettext("%d question", "%d questions", count) % count
        return f"{names} ({questions})" if count else names

    @admin.display(description=_("state"))
    def state(self, incident: Incident) -> SafeString:
        """Whether callers hear it."""
        return show_state(incident)

    @admin.display(description=_("end"))
    def end(self, incident: Incident) -> str:
        """When it ends or ended, and by whom if somebody switched it off."""
        when = date_format(localtime(incident.ended_at or incident.until), "DATETIME_FORMAT")
        return f"{when} · {incident.ended_by}" if incident.ended_by else when

    # -- pages

    def get_urls(self) -> list[Any]:
        """The switch beside Django's own."""
        view = self.admin_site.admin_view
        return [
            path("voice/", view(require_POST(self.voice_view)), name="cache_admin_incident_voice"),
            path("<int:pk>/off/", view(require_POST(self.off_view)), name="cache_admin_incident_off"),
            path("<int:pk>/prolong/", view(require_POST(self.prolong_view)), name="cache_admin_incident_prolong"),
            path("<int:pk>/again/", view(require_POST(self.again_view)), name="cache_admin_incident_again"),
            *super().get_urls(),
        ]

    def voice_view(self, request: HttpRequest) -> JsonResponse:
        """What a voice makes of the text that is being written."""
        self._check(request)
        return JsonResponse(describe_voice(request.POST.get("text", "")[:2_000]))

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Switches a text on; GET may bring `topic`, `question` and `from`, an incident whose text is said again."""
        self._check(request)
        if request.method != "POST":
            return self._show_form(request, IncidentForm(initial=read_wishes(request)))
        form = IncidentForm(request.POST)
        if not form.is_valid():
            return self._show_form(request, form)
        try:
            incident = self._start(request, form)
        except TopicTakenError as error:
            form.add_error("topics", gettext("Somebody was quicker; another text is on here now: %s") % error)
        except StoreError:
            form.add_error(None, str(_DOWN))
        else:
            return redirect("admin:cache_admin_incident_change", incident.pk)
        return self._show_form(request, form)

    def _start(self, request: HttpRequest, form: IncidentForm) -> Incident:
        wish = form.cleaned_data
        incident = start_incident(
            wish["text"],
            keys=form.keys,
            questions=wish["questions"],
            until=wish["until"],
            store=gateways.answer_store(),
            user=request.user,
            now=timezone.now(),
        )
        topics = ", ".join(row.topic for row in incident.topics.all())
        self.log_addition(request, incident, gettext("Switched on for %s.") % topics)
        self._say_where(request, list(incident.topics.exclude(state=IncidentTopic.State.ON)))
        return incident

    def _say_where(self, request: HttpRequest, missing: list[IncidentTopic]) -> None:
        if not missing:
            return messages.success(request, gettext("It is on: callers hear it from their next poll on."))
        names = ", ".join(row.topic for row in missing)
        return messages.error(
            request, gettext("DynamoDB failed half-way: it is not on for %s. Try these again.") % names
        )

    def _show_form(self, request: HttpRequest, form: IncidentForm) -> HttpResponse:
        context = {"title": gettext("Switch an incident text on"), "form": form, "lasts": LASTS, "other": OTHER}
        return self._page(request, "switch_on", context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """One incident: its text, where it is on, and the way to switch it off."""
        incident = get_object_or_404(Incident.objects.select_related("started_by", "ended_by"), pk=object_id)
        if not self.has_view_permission(request, incident):
            raise PermissionDenied
        titles = {topic.name: str(topic) for topic in Topic.objects.only("name", "title")}
        rows = [(row, titles.get(row.topic, row.topic), show_topic(row)) for row in incident.topics.all()]
        states = IncidentTopic.State
        context = {
            "title": gettext("Incident text"),
            "incident": incident,
            "original": incident,
            "rows": rows,
            "parts": listen(incident.text),
            "state": show_state(incident),
            "is_running": incident.is_running(now=timezone.now()),
            "is_partial": any(row.state in (states.FAILED, states.WANTED) for row, _title, _state in rows),
            "prolong": ProlongForm(initial={"minutes": 60}),
            "may_switch": request.user.has_perm(RIGHT),
        }
        return self._page(request, "incident", context)

    def off_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Switches it off early."""
        self._check(request, pk)
        incident = get_object_or_404(Incident, pk=pk)
        still_on = end_incident(incident, store=gateways.answer_store(), user=request.user, now=timezone.now())
        if still_on:
            names = ", ".join(row.topic for row in still_on)
            messages.error(request, gettext("DynamoDB does not serve: it is still on for %s. Try again.") % names)
        else:
            self.log_change(request, incident, gettext("Switched off."))
            messages.success(request, gettext("It is off: callers hear answers again from their next poll on."))
        return redirect("admin:cache_admin_incident_change", pk)

    def again_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Tries the topics again where switching on failed."""
        self._check(request, pk)
        incident = get_object_or_404(Incident, pk=pk)
        if incident.is_running(now=timezone.now()):
            try:
                self._say_where(request, resume_incident(incident, store=gateways.answer_store(), now=timezone.now()))
                self.log_change(request, incident, gettext("Tried the missing topics again."))
            except TopicTakenError as error:
                messages.error(request, gettext("Another text is on meanwhile: %s") % error)
        return redirect("admin:cache_admin_incident_change", pk)

    def prolong_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Gives it another end."""
        self._check(request, pk)
        incident, form, now = get_object_or_404(Incident, pk=pk), ProlongForm(request.POST), timezone.now()
        if not form.is_valid():
            messages.error(request, gettext("Choose how long it lasts."))
        elif incident.is_running(now=now):
            self._prolong(request, incident, now + timedelta(minutes=form.cleaned_data["minutes"]))
        return redirect("admin:cache_admin_incident_change", pk)

    def _prolong(self, request: HttpRequest, incident: Incident, until: datetime) -> None:
        when, earlier = date_format(localtime(until), "DATETIME_FORMAT"), incident.until
        try:
            left = prolong_incident(incident, until=until, store=gateways.answer_store(), now=timezone.now())
        except StoreError:
            return messages.error(request, gettext("DynamoDB does not serve: the earlier end holds. Try again."))
        ends = {"before": {"until": earlier.isoformat()}, "after": {"until": until.isoformat()}}
        self.log_change(request, incident, gettext("Lasts until %s.") % when, **ends)
        if left:
            names = ", ".join(row.topic for row in left)
            said = gettext("DynamoDB failed half-way: for %s the earlier end holds. Try these again.") % names
            return messages.error(request, said)
        return messages.success(request, gettext("It lasts until %s.") % when)

    @staticmethod
    def _check(request: HttpRequest, pk: int | None = None) -> None:
        if not request.user.has_perm(RIGHT):
            raise PermissionDenied
        with everything():  # a text is on for all its topics or for none
            topics = set(IncidentTopic.objects.filter(incident=pk).values_list("topic", flat=True)) if pk else set()
        if not reaches(request.user, topics):
            raise PermissionDenied

    def _page(self, request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
        whole = {**self.admin_site.each_context(request), "opts": self.opts, **context}
        return TemplateResponse(request, f"admin/cache_admin/incident/{name}.html", whole)
