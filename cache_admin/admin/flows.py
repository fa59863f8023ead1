"""Flows: uploaded ones with what the linter says of them, and our own to download."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from cache_admin.admin.export_form import ExportForm
from cache_admin.admin.typed import ModelAdmin, ModelForm
from cache_admin.models import UploadedFlow
from cache_admin.phone.finding_words import explain_kind
from cache_admin.phone.uploads import MAX_BYTES, Upload, UploadError, describe_upload, read_upload
from flows.finding import SEVERITIES, Finding
from flows.flow_types import WORDS

BADGES = {"error": "badge-bad", "warning": "badge-busy", "info": ""}


def show_findings(findings: tuple[Finding, ...]) -> SafeString:
    """The linter's list: how grave, where, what, and what to do."""
    rows = [(found, BADGES[found.severity], _word(found.severity, 1)) for found in findings]
    # a template of ours: it escapes whatever the file holds
    return mark_safe(render_to_string("admin/flow_findings.html", {"rows": rows}))  # noqa: S308


class UploadForm(ModelForm[UploadedFlow]):
    """A file that is read at once; what cannot be read is refused with the reason."""

    file = forms.FileField(
        label=_("Exported flow"),
        help_text=_("A JSON file, as Connect's designer or describe-contact-flow gives it; at most 4 MiB."),
        widget=forms.ClearableFileInput(attrs={"accept": ".json,application/json"}),
    )
    upload: Upload | None = None
    content: bytes = b""

    class Meta:
        """What cannot be told from the file."""

        model = UploadedFlow
        fields = ("file", "name", "identifier")

    def clean_file(self) -> UploadedFile[bytes]:
        """The file, if a flow is in it."""
        file: UploadedFile[bytes] = self.cleaned_data["file"]
        file.seek(0)
        self.content = file.read(MAX_BYTES + 1)
        try:
            self.upload = read_upload(self.content)
        except UploadError as error:
            raise ValidationError(show_findings(error.findings), code="unreadable") from error
        return file


@admin.register(UploadedFlow)
class FlowAdmin(ModelAdmin[UploadedFlow]):
    """Flows are uploaded, looked at and deleted; another version is another upload."""

    list_display = ("name", "kind", "actions_count", "found", "uploaded_at", "uploaded_by")
    list_select_related = ("uploaded_by",)
    show_full_result_count = False
    search_fields = ("name",)
    readonly_fields = (
        "kind",
        "actions_count",
        "module_list",
        "found",
        "report",
        "try_it",
        "uploaded_at",
        "uploaded_by",
    )
    fieldsets = (
        (None, {"fields": ("name", "try_it", "found", "report")}),
        (_("About"), {"fields": ("kind", "identifier", "actions_count", "module_list", "uploaded_at", "uploaded_by")}),
    )

    def get_urls(self) -> list[Any]:
        """The page for our own flows beside Django's."""
        view = self.admin_site.admin_view
        return [path("export/", view(self.export_view), name="cache_admin_uploadedflow_export"), *super().get_urls()]

    def has_change_permission(self, request: HttpRequest, obj: UploadedFlow | None = None) -> bool:
        """What was uploaded stays as it is."""
        return False

    def get_fieldsets(self, request: HttpRequest, obj: UploadedFlow | None = None) -> Any:
        """The form for an upload, or what came of it."""
        return self.fieldsets if obj else ((None, {"fields": ("file", "name", "identifier")}),)

    def get_form(
        self, request: HttpRequest, obj: UploadedFlow | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """The upload's form; a flow that is there has none."""
        return super().get_form(request, obj, change=change, **(kwargs if obj else {**kwargs, "form": UploadForm}))

    def save_model(self, request: HttpRequest, obj: UploadedFlow, form: Any, change: bool) -> None:
        """Keeps the flow with what was found in it."""
        describe_upload(obj, form.upload, content=form.content, file_name=form.cleaned_data["file"].name or "flow")
        obj.uploaded_by = request.user  # type: ignore[assignment]
        super().save_model(request, obj, form, change)

    def response_add(
        self, request: HttpRequest, obj: UploadedFlow, post_url_continue: str | None = None
    ) -> HttpResponse:
        """To the report: that is what one uploads a flow for."""
        response = super().response_add(request, obj, post_url_continue)
        return response if "_addanother" in request.POST else redirect("admin:cache_admin_uploadedflow_change", obj.pk)

    def get_queryset(self, request: HttpRequest) -> QuerySet[UploadedFlow]:
        """A list needs no contents."""
        rows = super().get_queryset(request)
        return (
            rows if request.resolver_match and "object_id" in request.resolver_match.kwargs else rows.defer("content")
        )

    # -- columns and facts

    @admin.display(description=_("type"), ordering="type")
    def kind(self, flow: UploadedFlow) -> str:
        """The type of flow in words."""
        return explain_kind(WORDS.get(flow.type, "")) or gettext("not said in the file")

    @admin.display(description=_("blocks"), ordering="actions")
    def actions_count(self, flow: UploadedFlow) -> int:
        """How many there are."""
        return flow.actions

    @admin.display(description=_("linter"))
    def found(self, flow: UploadedFlow) -> SafeString:
        """How many findings of which severity."""
        counts = {"error": flow.errors, "warning": flow.warnings, "info": flow.infos}
        if not any(counts.values()):
            return format_html('<span class="badge badge-good">{}</span>', gettext("nothing found"))
        badges = [
            format_html('<span class="badge {}">{} {}</span>', BADGES[name], counts[name], _word(name, counts[name]))
            for name in SEVERITIES
            if counts[name]
        ]
        return SafeString(" ".join(badges))

    @admin.display(description=_("report"))
    def report(self, flow: UploadedFlow) -> SafeString:
        """All findings, by the rules of today."""
        try:
            return show_findings(read_upload(bytes(flow.content)).findings)
        except UploadError as error:
            return show_findings(error.findings)

    @admin.display(description=_("modules it calls"))
    def module_list(self, flow: UploadedFlow) -> str:
        """As the flow names them."""
        return ", ".join(flow.modules) or gettext("None.")

    @admin.display(description=_("try it"))
    def try_it(self, flow: UploadedFlow) -> SafeString:
        """The phone with this flow."""
        url = reverse("admin:cache_admin_phonecall_changelist") + f"?flow=uploaded:{flow.pk}"
        return format_html('<a href="{}">{}</a>', url, gettext("Call it on the phone"))

    # -- our own

    def export_view(self, request: HttpRequest) -> HttpResponse:
        """A topic's flow as a file, by what the form says; the form itself until it is complete."""
        if not request.user.has_perm("cache_admin.view_topic"):
            raise PermissionDenied
        form = ExportForm(request.GET if "download" in request.GET else None, initial=request.GET.dict())
        if form.is_bound and form.is_valid():
            name = f"{form.cleaned_data['topic'].name}-{form.cleaned_data['mode']}.json"
            headers = {"Content-Disposition": f'attachment; filename="{name}"'}
            return HttpResponse(form.flow.to_json(indent=2), content_type="application/json", headers=headers)
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Download a flow"),
            "opts": self.opts,
            "form": form,
        }
        return TemplateResponse(request, "admin/flow_export.html", context, status=400 if form.errors else 200)


def _word(severity: str, count: int) -> str:
    words = {
        "error": (gettext("error"), gettext("errors")),
        "warning": (gettext("warning"), gettext("warnings")),
        "info": (gettext("remark"), gettext("remarks")),
    }
    return words[severity][count != 1]
