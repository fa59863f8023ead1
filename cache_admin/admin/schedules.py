"""Pre-warm schedules: what is answered again by itself, and when."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.utils.formats import time_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from cache_admin.admin.badges import badge
from cache_admin.admin.typed import ModelAdmin, ModelForm
from cache_admin.models import Topic, WarmSchedule


class ScheduleForm(ModelForm[WarmSchedule]):
    """A schedule; a time of day needs the time."""

    topic = forms.ModelChoiceField(
        label=_("Topic"),
        queryset=Topic.objects.filter(sharing=Topic.Sharing.EVERYONE),
        help_text=_("Only topics whose answers every caller may hear can be warmed."),
    )

    class Meta:
        """What supervisors decide."""

        model = WarmSchedule
        fields = ("topic", "enabled", "when", "at", "days", "most_asked", "hours_ahead")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "at" in self.fields:  # who may only look has none
            hint = gettext("In the installation's time zone, %s: at night, or early enough before you open.")
            self.fields["at"].help_text = hint % settings.TIME_ZONE

    def clean(self) -> dict[str, Any] | None:
        """No time of day without its time."""
        cleaned = super().clean() or {}
        if cleaned.get("when") == WarmSchedule.When.DAILY and not cleaned.get("at") and "at" not in self.errors:
            self.add_error("at", ValidationError(_("Say at what time."), code="no_time"))
        return cleaned


@admin.register(WarmSchedule)
class ScheduleAdmin(ModelAdmin[WarmSchedule]):
    """Few rows."""

    form = ScheduleForm
    list_display = ("topic", "when", "time_of_day", "days", "most_asked", "state", "last_run_at")
    list_select_related = ("topic",)
    sortable_by = ()
    actions = None
    readonly_fields = ("last_run_at",)

    @admin.display(description=_("time of day"))
    def time_of_day(self, schedule: WarmSchedule) -> str:
        """With the zone: it is the installation's, whatever zone the reader has chosen."""
        return f"{time_format(schedule.at, 'H:i')} ({settings.TIME_ZONE})" if schedule.at else "-"

    @admin.display(description=_("state"))
    def state(self, schedule: WarmSchedule) -> SafeString:
        """Whether it runs."""
        return badge("READY", _("on")) if schedule.enabled else badge("left", _("off"))
