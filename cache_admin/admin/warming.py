"""Batches in the admin: typed, from a file or from missed questions; previewed, confirmed, watched and steered."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_noop, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from cache_admin import gateways
from cache_admin.admin.badges import badge
from cache_admin.admin.keyset import KeysetAdmin
from cache_admin.admin.store_first import NotSavedError, explain_outages
from cache_admin.admin.warming_forms import FileForm, TypedForm
from cache_admin.admin.warming_rows import describe_progress, read_page, show_cost
from cache_admin.models import WarmBatch, WarmRow
from cache_admin.stored_words import read_stored
from cache_admin.warming import batches
from cache_admin.warming.estimate import estimate_batch

WARM, IMPORT = "cache_admin.prewarm_cachedanswer", "cache_admin.import_warmbatch"
Kind, State, Verdict = WarmBatch.Kind, WarmBatch.State, WarmRow.Verdict
_TONES = {"running": "STARTED", "reading": "STARTED", "done": "SUCCESS", "unreadable": "FAILURE", "preview": "PENDING"}
_NAME = "cache_admin_warmbatch"


@admin.register(WarmBatch)
class BatchAdmin(KeysetAdmin[WarmBatch]):
    """The batches, newest first, and one page for each."""

    list_display = ("described", "kind", "state_badge", "read_rows", "created_by", "created_at")
    list_select_related = ("created_by",)
    list_filter = ("kind", "state")
    sortable_by = ("created_at",)
    ordering = ("-created_at",)
    actions = None
    change_list_template = "admin/cache_admin/warmbatch/change_list.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        """There are pages of our own for it."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: WarmBatch | None = None) -> bool:
        """Batches are steered, not edited."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: WarmBatch | None = None) -> bool:
        """Old ones go by themselves."""
        return False

    @admin.display(description=_("name"))
    def described(self, batch: WarmBatch) -> str:
        """The file, or what else it was made of."""
        return read_stored(batch.name)

    def get_urls(self) -> list[Any]:
        """Our pages in place of Django's."""
        view = self.admin_site.admin_view
        return [
            path("type/", view(self.type_view), name=f"{_NAME}_type"),
            path("warm/", view(self.file_view), {"kind": Kind.PREWARM}, name=f"{_NAME}_warm"),
            path("answers/", view(self.file_view), {"kind": Kind.ANSWERS}, name=f"{_NAME}_answers"),
            path("<int:pk>/progress/", view(self.progress_view), name=f"{_NAME}_progress"),
            path("<int:pk>/choose/", view(require_POST(self.choose_view)), name=f"{_NAME}_choose"),
            path("<int:pk>/steer/", view(require_POST(self.steer_view)), name=f"{_NAME}_steer"),
            *super().get_urls(),
        ]

    @admin.display(description=_("state"))
    def state_badge(self, batch: WarmBatch) -> SafeString:
        """How far it is."""
        return show_state(batch)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The batches, and the ways to begin one."""
        may = {
            "title": gettext("Pre-warm and import"),
            "may_warm": request.user.has_perm(WARM),
            "may_import": request.user.has_perm(IMPORT),
        }
        return super().changelist_view(request, {**may, **(extra_context or {})})

    # -- beginning

    def type_view(self, request: HttpRequest) -> HttpResponse:
        """Questions, typed or pasted."""
        _check(request, WARM)
        form = TypedForm(request.POST if request.method == "POST" else None)
        if request.method != "POST" or not form.is_valid():
            return self._show_form(request, form, gettext("Pre-warm questions"), "type")
        wish = form.cleaned_data
        batch = batches.make_typed_batch(
            wish["questions"],
            topic=wish["topic"].name,
            language=wish["language"],
            name=gettext_noop("Typed for %s") % wish["topic"],
            by=request.user,
            now=timezone.now(),
        )
        return _go_to(batch)

    def file_view(self, request: HttpRequest, kind: str) -> HttpResponse:
        """A file of questions, or of ready answers."""
        _check(request, WARM if kind == Kind.PREWARM else IMPORT)
        form = FileForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            try:
                return self._keep_file(request, form, kind)
            except NotSavedError as error:
                form.add_error(None, str(error))
        title = gettext("Pre-warm from a file") if kind == Kind.PREWARM else gettext("Import ready answers")
        return self._show_form(request, form, title, str(kind))

    def _keep_file(self, request: HttpRequest, form: FileForm, kind: str) -> HttpResponse:
        wish = form.cleaned_data
        with explain_outages():
            batch = batches.make_file_batch(
                wish["file"],
                kind=kind,
                topic=wish["topic"].name if wish["topic"] else "",
                language=wish["language"],
                storage=gateways.file_storage(),
                by=request.user,
                now=timezone.now(),
            )
        return _go_to(batch)

    def _show_form(self, request: HttpRequest, form: forms.Form, title: str, kind: str) -> HttpResponse:
        return self._page(request, "begin", {"title": title, "form": form, "kind": kind})

    # -- one batch

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The preview, or how far it is."""
        batch = get_object_or_404(WarmBatch.objects.select_related("created_by"), pk=object_id)
        if not self.has_view_permission(request, batch):
            raise PermissionDenied
        page = read_page(batch, request.GET.dict())
        is_preview = batch.state == State.PREVIEW
        estimate = estimate_batch(batch) if is_preview and batch.kind == Kind.PREWARM else None
        context = {
            "title": read_stored(batch.name),
            "batch": batch,
            "original": batch,
            "state": show_state(batch),
            "progress": describe_progress(batch),
            "rows": page,
            "may": request.user.has_perm(_right(batch)),
            "is_preview": is_preview,
            "estimate_text": show_cost(estimate) if estimate else "",
            "chosen": sum(batches.count_chosen(batch).values()) if is_preview else 0,
        }
        return self._page(request, "batch", context)

    def progress_view(self, request: HttpRequest, pk: int) -> JsonResponse:
        """What changes on the page while it is open."""
        batch = get_object_or_404(WarmBatch, pk=pk)
        if not self.has_view_permission(request, batch):
            raise PermissionDenied
        return JsonResponse(describe_progress(batch))

    def choose_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Keeps the page's ticks, then goes where the button says; `all` and `none` tick a whole verdict."""
        batch = self._find(request, pk)
        shown = _read_numbers(request.POST.getlist("shown"))
        batches.choose_rows(batch, shown=shown, chosen=_read_numbers(request.POST.getlist("take")))
        for name, chosen in (("all", True), ("none", False)):
            if name in request.POST:
                batches.choose_all(batch, verdict=request.POST[name], chosen=chosen)
        if "confirm" in request.POST:
            return self._confirm(request, batch)
        query = request.POST.get("go", "")
        return HttpResponseRedirect(f"{_url(batch)}?{query}" if query else _url(batch) + _here(request))

    def _confirm(self, request: HttpRequest, batch: WarmBatch) -> HttpResponse:
        if batches.confirm(batch, now=timezone.now()):
            self.log_change(request, batch, gettext("Confirmed."))
            messages.success(request, gettext("It begins within seconds."))
        elif batch.state == State.PREVIEW:
            messages.warning(request, gettext("No row is chosen, so there is nothing to begin."))
            return HttpResponseRedirect(_url(batch) + _here(request))
        return _go_to(batch)

    def steer_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Pause, resume, cancel, or retry what failed; a second click finds nothing to do."""
        batch = self._find(request, pk)
        wish, now = request.POST.get("do", ""), timezone.now()
        if wish == "retry":
            count = batches.retry_failures(batch)
            done, note = bool(count), ngettext("%d row is tried again.", "%d rows are tried again.", count) % count
        elif wish in ("pause", "resume"):
            done = batches.pause(batch) if wish == "pause" else batches.resume(batch)
            note = gettext("Paused: what is under way comes to its end.") if wish == "pause" else gettext("It goes on.")
        else:
            done, note = wish == "cancel" and batches.cancel(batch, now=now), gettext("Cancelled.")
        if done:
            self.log_change(request, batch, note)
            messages.success(request, note)
        else:
            messages.info(request, gettext("There was nothing to do: the batch is further already."))
        return _go_to(batch)

    def _find(self, request: HttpRequest, pk: int) -> WarmBatch:
        batch = get_object_or_404(WarmBatch, pk=pk)
        _check(request, _right(batch))
        return batch

    def _page(self, request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
        whole = {**self.admin_site.each_context(request), "opts": self.opts, **context}
        return TemplateResponse(request, f"admin/cache_admin/warmbatch/{name}.html", whole)


def show_state(batch: WarmBatch) -> SafeString:
    """The state in its tone."""
    return badge(_TONES.get(batch.state, "left"), batch.get_state_display())


def _right(batch: WarmBatch) -> str:
    return IMPORT if batch.kind == Kind.ANSWERS else WARM


def _check(request: HttpRequest, right: str) -> None:
    if not request.user.has_perm(right):
        raise PermissionDenied


def _url(batch: WarmBatch) -> str:
    return reverse(f"admin:{_NAME}_change", args=[batch.pk])


def _go_to(batch: WarmBatch) -> HttpResponse:
    return redirect(_url(batch))


def _here(request: HttpRequest) -> str:
    verdict = request.POST.get("here", "")
    return f"?verdict={verdict}" if verdict in Verdict.values else ""


def _read_numbers(texts: list[str]) -> list[int]:
    return [int(text) for text in texts[:500] if text.isascii() and text.isdigit() and len(text) < 19]
