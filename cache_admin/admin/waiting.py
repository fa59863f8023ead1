"""Wait policies: a change is published with every topic that uses it."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop, ngettext
from django.utils.translation import gettext_lazy as _

from cache_admin import gateways
from cache_admin.admin.inlines import PartFormSet, PartInline, kept_forms
from cache_admin.admin.policy_pages import PolicyPages, describe_panel
from cache_admin.admin.store_first import StoreFirstAdmin, StoreFirstForm, explain_outages
from cache_admin.admin.typed import ModelForm
from cache_admin.models import WaitPolicy, WaitPrompt
from cache_admin.people.scope import everything, reaches
from cache_admin.services.audio import MAX_BYTES, AudioError, keep_recording, measure_recording
from cache_admin.services.audio_conversion import convert_recording
from cache_admin.services.policy_faults import explain_policy_faults
from cache_admin.services.policy_versions import keep_version
from cache_admin.services.ssml import SsmlError, check_ssml
from cache_admin.services.topics import describe_policy, republish_users

_SHORT = forms.Textarea(attrs={"rows": 2, "cols": 60})


def read_upload(file: Any) -> tuple[bytes, float] | None:
    """A new recording, converted, and its seconds; None when there is no new one. ValidationError when it is none."""
    if not isinstance(file, UploadedFile):
        return None
    file.seek(0)
    try:
        content = convert_recording(file.read(MAX_BYTES + 1), name=file.name or "")
        return content, measure_recording(content, name=file.name or "")
    except AudioError as error:
        raise ValidationError(str(error), code="unplayable") from error


class PromptForm(ModelForm[WaitPrompt]):
    """One prompt: text, SSML or a recording."""

    upload: tuple[bytes, float] | None = None

    class Meta:
        """Small boxes: a prompt is a sentence."""

        widgets = {
            "text": forms.Textarea(attrs={"rows": 2, "cols": 30, "placeholder": _("Text")}),
            "ssml": forms.Textarea(attrs={"rows": 2, "cols": 24, "placeholder": "<speak>…</speak>"}),
        }

    def clean_ssml(self) -> str:
        """SSML that parses, or nothing."""
        ssml: str = self.cleaned_data["ssml"]
        try:
            if ssml:
                check_ssml(ssml)
        except SsmlError as error:
            raise ValidationError(str(error), code="ssml") from error
        return ssml

    def clean_audio(self) -> Any:
        """A recording that Connect plays."""
        self.upload = read_upload(self.cleaned_data["audio"])
        return self.cleaned_data["audio"]


class PromptFormSet(PartFormSet[WaitPrompt, WaitPolicy]):
    """The prompts, judged together with the policy."""

    def clean(self) -> None:
        """Refuses what cannot keep the policy's promises, with the reason."""
        super().clean()
        if any(self.errors) or self.instance_is_faulty():
            return
        prompts = [form.instance for form in kept_forms(self)]
        faults = explain_policy_faults(describe_policy(self.instance, prompts))
        if faults:
            raise ValidationError([ValidationError(fault, code="promise") for fault in faults])

    def instance_is_faulty(self) -> bool:
        """Whether the policy's own fields are wrong already, so that there is nothing to judge."""
        return any(
            getattr(self.instance, f.attname) is None for f in WaitPolicy._meta.concrete_fields if f.name != "id"
        )


class PromptInline(PartInline[WaitPrompt, WaitPolicy]):
    """The prompts, in the order in which they take turns."""

    model = WaitPrompt
    form = PromptForm
    formset = PromptFormSet
    fields = ("position", "text", "ssml", "audio")
    extra = 1


class PolicyForm(StoreFirstForm[WaitPolicy]):
    """A policy's settings."""

    upload: tuple[bytes, float] | None = None

    class Meta:
        """Small boxes: each is a sentence or two."""

        widgets = dict.fromkeys(("estimate_text", "apology", "patience_text", "busy_text", "restart_text"), _SHORT)
        help_texts = {"comfort_audio": _("Played between prompts. WAV or MP3, at most 5 MB and 5 minutes.")}

    def clean_comfort_audio(self) -> Any:
        """A sound that Connect plays."""
        file = self.cleaned_data["comfort_audio"]
        self.upload = read_upload(file)
        if self.upload or not file:
            self.instance.comfort_seconds = self.upload[1] if self.upload else 0.0
        return file

    def clean_estimate_text(self) -> str:
        """A sentence with a place for the number."""
        text: str = self.cleaned_data["estimate_text"]
        if text and "{seconds}" not in text:
            raise ValidationError(gettext("Write {seconds} where the number goes."), code="seconds")
        return text


@admin.register(WaitPolicy)
class WaitPolicyAdmin(StoreFirstAdmin[WaitPolicy]):
    """Policies and their prompts; what callers hear of them is previewed as they are typed, and each save is kept."""

    form = PolicyForm
    change_form_template = "admin/cache_admin/waitpolicy/change_form.html"
    list_display = ("name", "hold_seconds", "first_prompt_after_seconds", "interval_seconds", "max_wait_seconds")
    search_fields = ("name",)
    inlines = (PromptInline,)
    readonly_fields = ("comfort_seconds",)
    fieldsets = (
        (None, {"fields": ("name",)}),
        (
            _("Times in seconds"),
            {
                "fields": (
                    "hold_seconds", "first_prompt_after_seconds", "interval_seconds", "max_wait_seconds", "max_silence_seconds",
                )
            },
        ),
        (_("Between prompts"), {"fields": ("comfort_audio", "comfort_seconds")}),
        (
            _("Words"),
            {"fields": ("say_estimate", "estimate_text", "apology", "patience_text", "busy_text", "restart_text")},
        ),
    )  # fmt: skip

    def get_urls(self) -> list[Any]:
        """Ours beside Django's."""
        return [*PolicyPages(self).urls(), *super().get_urls()]

    def has_view_permission(self, request: HttpRequest, obj: WaitPolicy | None = None) -> bool:
        """Not where only topics that somebody does not see use it."""
        is_found = obj is None or obj.pk is None or WaitPolicy.objects.filter(pk=obj.pk).exists()
        return super().has_view_permission(request, obj) and is_found

    def has_change_permission(self, request: HttpRequest, obj: WaitPolicy | None = None) -> bool:
        """Only where one works with all topics that use it: callers of each hear the change."""
        return super().has_change_permission(request, obj) and (obj is None or self._reaches(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: WaitPolicy | None = None) -> bool:
        """As for a change."""
        return super().has_delete_permission(request, obj) and (obj is None or self._reaches(request, obj))

    @staticmethod
    def _reaches(request: HttpRequest, policy: WaitPolicy) -> bool:
        with everything():
            return reaches(request.user, set(policy.uses.values_list("topic__name", flat=True)))

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The versions, in place of Django's list of messages."""
        return PolicyPages(self).show_versions(request, object_id)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """With the preview, which follows what is typed."""
        policy = kwargs.get("obj")
        context["preview"] = describe_panel(policy, is_form=not context.get("is_popup"))
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: WaitPolicy, form: Any, change: bool) -> None:
        """Left to save_related, which knows the prompts."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Stores the sounds, publishes the topics that use the policy as the form has it, and saves it then."""
        policy, prompts = form.instance, kept_forms(formsets[0]) if formsets else []
        with explain_outages():
            _keep_upload(form, "comfort_audio")
            for prompt in prompts:
                _keep_upload(prompt, "audio")
            now, store = timezone.now(), gateways.answer_store()
            in_order = sorted((prompt.instance for prompt in prompts), key=lambda row: row.position)
            count = republish_users(policy, store=store, now=now, prompts=in_order) if change else 0
        with transaction.atomic():
            if change:  # a policy that was not made here has no version yet
                found = WaitPolicy.objects.get(pk=policy.pk)
                keep_version(found, user=None, now=now, note=gettext_noop("as it was found"))
            super().save_model(request, policy, form, change)
            super().save_related(request, form, formsets, change)
            keep_version(WaitPolicy.objects.get(pk=policy.pk), user=request.user, now=now)
        if count:
            messages.info(request, ngettext("Published with %d topic.", "Published with %d topics.", count) % count)


def _keep_upload(form: Any, field: str) -> None:
    if form.upload:
        name = PurePath(form.cleaned_data[field].name).with_suffix(".wav").name
        name, _seconds = keep_recording(form.upload[0], name=name, storage=gateways.file_storage())
        setattr(form.instance, field, name)
