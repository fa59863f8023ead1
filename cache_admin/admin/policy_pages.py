"""A wait policy's pages beside its form: the preview's data, its sounds, and its history."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from cache_admin import gateways
from cache_admin.admin.policy_preview import LANGUAGE, preview_form, preview_saved
from cache_admin.admin.sounds import open_sound
from cache_admin.admin.store_first import NotSavedError, explain_outages
from cache_admin.models import TopicLanguage, WaitPolicy, WaitPolicyVersion
from cache_admin.previews.waiting import ANSWER_SECONDS
from cache_admin.services.policy_versions import (
    UnfitVersionError,
    describe_content,
    find_changes,
    restore_version,
)

MOST_VERSIONS = 100


def describe_panel(policy: WaitPolicy | None, *, is_form: bool) -> dict[str, Any]:
    """What the preview's panel needs: where its data come from, its languages and its timelines."""
    uses = TopicLanguage.objects.filter(wait_policy=policy) if policy else TopicLanguage.objects.none()
    languages = sorted(set(uses.values_list("language", flat=True))) or [LANGUAGE]
    query = f"?policy={policy.pk}" if policy else ""
    return {
        "url": reverse("admin:cache_admin_waitpolicy_preview") + query,
        "languages": languages,
        "seconds": [round(seconds) for seconds in ANSWER_SECONDS],
        "is_form": is_form,
    }


class PolicyPages:
    """The pages of one ModelAdmin, whose rights they go by."""

    def __init__(self, admin: Any) -> None:
        self._admin = admin

    def urls(self) -> list[Any]:
        """To stand before Django's own."""
        view = self._admin.admin_site.admin_view
        name = "cache_admin_waitpolicy_"
        return [
            path("preview/", view(require_http_methods(["GET", "POST"])(self.preview)), name=f"{name}preview"),
            path("sound/", view(require_GET(self.play_sound)), name=f"{name}sound"),
            path("<int:pk>/versions/<int:number>/", view(self.restore), name=f"{name}restore"),
        ]

    def preview(self, request: HttpRequest) -> JsonResponse:
        """GET: of the saved policy. POST: of what the form holds, saved or not."""
        pk = request.GET.get("policy", "")
        policy = get_object_or_404(WaitPolicy, pk=pk) if pk.isascii() and pk.isdigit() else None
        self._check(self._admin.has_view_permission(request, policy) or self._admin.has_add_permission(request))
        language = request.GET.get("language", "")[:20] or LANGUAGE
        if request.method == "POST":
            return JsonResponse(preview_form(self._admin, request, policy, language=language))
        if policy is None:
            raise Http404
        return JsonResponse(preview_saved(policy, language=language))

    def play_sound(self, request: HttpRequest) -> FileResponse:
        """A recording of ours by its S3 URI; nothing else of the bucket."""
        self._check(self._admin.has_view_permission(request) or self._admin.has_add_permission(request))
        return open_sound(request.GET.get("uri", ""))

    def show_versions(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Every version with what it changed, the latest first."""
        policy = get_object_or_404(WaitPolicy, pk=object_id)
        self._check(self._admin.has_view_or_change_permission(request, policy))
        versions = list(WaitPolicyVersion.objects.filter(policy=policy).select_related("saved_by")[: MOST_VERSIONS + 1])
        older = [*versions[1:], None][: len(versions)]
        rows = [
            (version, list(find_changes(before.content, version.content)) if before else [])
            for version, before in zip(versions, older, strict=True)
        ]
        context = {
            "title": _("Versions of %s") % policy,
            "rows": rows[:MOST_VERSIONS],
            "may_restore": self._admin.has_change_permission(request, policy),
        }
        return self._page(request, "versions", policy, context)

    def restore(self, request: HttpRequest, pk: int, number: int) -> HttpResponse:
        """What having a version back would change, with a question; then has it back."""
        version = get_object_or_404(WaitPolicyVersion.objects.select_related("policy"), policy=pk, number=number)
        policy = version.policy
        self._check(self._admin.has_change_permission(request, policy))
        faults: list[str] = []
        if request.method == "POST":
            faults = self._restore(request, version)
            if not faults:
                return redirect("admin:cache_admin_waitpolicy_change", policy.pk)
        now = describe_content(policy, policy.prompts.all())
        context = {
            "title": _("Have version %(number)d of %(policy)s back?") % {"number": number, "policy": policy},
            "version": version,
            "changes": list(find_changes(now, {**version.content, "name": policy.name})),
            "faults": faults,
        }
        return self._page(request, "restore", policy, context)

    def _restore(self, request: HttpRequest, version: WaitPolicyVersion) -> list[str]:
        """Why it was not done, in sentences; none when it was."""
        try:
            with explain_outages():
                count = restore_version(version, store=gateways.answer_store(), user=request.user, now=timezone.now())
        except UnfitVersionError as error:
            return error.faults
        except NotSavedError as error:
            return [str(error)]
        self._admin.log_change(request, version.policy, _("Had version %d back.") % version.number)
        done = ngettext("As in version %(number)d again, published with %(count)d topic.",
                        "As in version %(number)d again, published with %(count)d topics.", count)  # fmt: skip
        messages.success(request, done % {"number": version.number, "count": count})
        return []

    @staticmethod
    def _check(may: bool) -> None:
        if not may:
            raise PermissionDenied

    def _page(self, request: HttpRequest, name: str, policy: WaitPolicy, context: dict[str, Any]) -> HttpResponse:
        site = self._admin.admin_site
        whole = {
            **site.each_context(request),
            "opts": self._admin.opts,
            "object": policy,
            "original": policy,
            **context,
        }
        return TemplateResponse(request, f"admin/cache_admin/waitpolicy/{name}.html", whole)
