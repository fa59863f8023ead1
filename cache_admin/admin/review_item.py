"""A candidate's page: read it, hear it, improve it, compare it with what callers hear, and decide."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from cache_admin import gateways
from cache_admin.admin.answer_list import show_state
from cache_admin.admin.review_forms import CandidateForm, OwnerForm
from cache_admin.admin.store_first import NotSavedError, explain_outages
from cache_admin.models import ReviewItem, ReviewText, Topic
from cache_admin.review.candidates import ReviewConflictError, submit_text
from cache_admin.review.deciding import (
    approve,
    asked,
    assign,
    find_shared_answer,
    read_chunks,
    read_item,
    reject,
    send_back,
    send_in,
    use_text,
)
from cache_admin.review.rules import APPROVE, WORK, find_objection
from cache_admin.services.answers import AnswerError
from cache_admin.services.mirror import apply_items
from cache_admin.trials.showing import lay_side_by_side, list_parts
from connectgenai.wire.store import ConflictError

_DONE = {
    "approve": lambda: _("Approved: every caller hears it from their next question on."),
    "reject": lambda: _("Rejected. It comes back only with another text."),
    "return": lambda: _("Sent back as a draft."),
    "draft": lambda: _("Saved as a draft. No caller hears it."),
    "send": lambda: _("Sent to review."),
    "use": lambda: _("That text is the candidate now; the other one is kept."),
    "assign": lambda: _("Assigned."),
}
_FOR_APPROVERS = ("approve", "reject", "return")


class ItemPage:
    """One candidate's page; for the review queue's admin."""

    admin_site: Any
    opts: Any
    log_change: Any
    has_view_permission: Any

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The page; a POST decides."""
        is_number = object_id.isascii() and object_id.isdigit() and len(object_id) < 19
        item = get_object_or_404(ReviewItem, pk=object_id if is_number else 0)
        if not self.has_view_permission(request, item):
            raise PermissionDenied
        if request.method != "POST":
            return self._show(request, item)
        wish = request.POST.get("do", "")
        if wish not in _DONE:
            return redirect("admin:cache_admin_reviewitem_change", item.pk)
        _check(request, wish)
        return self._try(request, item, wish)

    def _try(self, request: HttpRequest, item: ReviewItem, wish: str) -> HttpResponse:
        form = CandidateForm(request.POST)
        if wish not in ("assign", "use") and not form.is_valid():
            return self._show(request, item, form=form)
        try:
            with explain_outages():
                self._act(request, item, wish, form)
        except (AnswerError, NotSavedError) as error:
            return self._show(request, item, form=form, fault=str(error), status=409)
        except ReviewConflictError as conflict:
            return self._show(request, conflict.item, form=form, fault=_tell_conflict(conflict.item), status=409)
        except ConflictError as conflict:
            apply_items([conflict.current] if conflict.current else [])
            fault = _(
                "What callers hear has changed since you opened this page: it stands beside your text. Look again, then decide."
            )
            return self._show(request, read_item(item), form=form, fault=fault, status=409)
        self.log_change(request, item, _DONE[wish]())
        messages.success(request, _DONE[wish]())
        is_over = wish in ("approve", "reject", "return")
        return (
            redirect("admin:cache_admin_reviewitem_changelist")
            if is_over
            else redirect("admin:cache_admin_reviewitem_change", item.pk)
        )

    def _act(self, request: HttpRequest, item: ReviewItem, wish: str, form: CandidateForm) -> None:
        now, by, data = timezone.now(), request.user, form.cleaned_data if form.is_valid() else {}
        seen = data.get("seen_version", _read_number(request, "seen_version"))
        note = data.get("note", "")
        if wish == "approve":
            versions = {"seen_version": seen, "shared_version": data["shared_version"]}
            approve(item, text=data["text"], why=note, by=by, store=gateways.answer_store(), now=now, **versions)
        elif wish == "reject":
            reject(item, seen_version=seen, by=by, note=note, now=now)
        elif wish == "return":
            send_back(item, seen_version=seen, by=by, note=note, now=now)
        elif wish == "use":
            text = get_object_or_404(ReviewText, pk=_read_number(request, "text_pk"), item=item)
            use_text(item, text, seen_version=seen, now=now)
        elif wish == "assign":
            owner = OwnerForm(request.POST)
            assign(item, owner=owner.cleaned_data["owner"] if owner.is_valid() else None)
        else:
            _write(item, wish, data, by=by, now=now)

    # -- showing

    def _show(
        self,
        request: HttpRequest,
        item: ReviewItem,
        *,
        form: CandidateForm | None = None,
        fault: str = "",
        status: int = 200,
    ) -> TemplateResponse:
        shared_version, outage = _read_shared(item)
        item = read_item(item)  # the mirror may have closed it just now
        heard = find_shared_answer(item)
        topic = Topic.objects.filter(name=item.topic).first()
        left, right = lay_side_by_side(heard.chunks if heard else (), item.chunks)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Approve an answer"),
            "opts": self.opts,
            "original": item,
            "item": item,
            "topic": topic,
            "heard": heard,
            "heard_state": show_state(heard) if heard else "",
            "left": left if heard and heard.chunks else [],
            "right": right if heard and heard.chunks else list_parts(item.chunks),
            "form": _renew(form, item, shared_version=shared_version),
            "owner_form": OwnerForm(initial={"owner": item.owner_id}, auto_id="owner_%s"),
            "texts": _list_texts(item),
            "fault": fault or outage,
            "mine": _compare_mine(form, item) if status == 409 else None,
            "objection": find_objection(item, topic=topic, user=request.user),
            "is_outdated": bool(topic and item.revision and item.revision < topic.revision),
            "may_approve": request.user.has_perm(APPROVE),
            "may_work": request.user.has_perm(WORK),
        }
        return TemplateResponse(request, "admin/cache_admin/reviewitem/item.html", context, status=status)


def _write(item: ReviewItem, wish: str, data: dict[str, Any], *, by: Any, now: Any) -> None:
    """A changed text is its writer's; an unchanged one is only sent in."""
    chunks = read_chunks(item, data["text"])
    if wish == "send" and chunks == item.chunks:
        send_in(item, seen_version=data["seen_version"], by=by, now=now)
        return
    submit_text(
        asked(item),
        chunks=chunks,
        by=by,
        is_draft=wish == "draft",
        seen_version=data["seen_version"],
        revision=item.revision,
        pinned=item.pinned,
        valid_until=item.valid_until,
        note=data["note"],
        now=now,
    )


def _check(request: HttpRequest, wish: str) -> None:
    may_approve, may_work = request.user.has_perm(APPROVE), request.user.has_perm(WORK)
    if not (may_approve if wish in _FOR_APPROVERS else may_approve or may_work):
        raise PermissionDenied


def _read_number(request: HttpRequest, name: str) -> int:
    text = request.POST.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else -1


def _read_shared(item: ReviewItem) -> tuple[int, str]:
    """The version of what callers hear, 0 if they hear nothing; and why the page may be behind."""
    try:
        with explain_outages():
            found = gateways.answer_store().read_answer(item.key, consistent=True)
    except NotSavedError as error:
        known = find_shared_answer(item)
        return known.version if known else 0, str(error)
    apply_items([found] if found else [])
    return found.version if found else 0, ""


def _renew(form: CandidateForm | None, item: ReviewItem, *, shared_version: int) -> CandidateForm:
    """What was typed, against the versions that are on the page now."""
    if form is not None and not form.is_valid():
        return form
    typed = form.cleaned_data if form is not None else {"text": item.text, "note": ""}
    versions = {"seen_version": item.version, "shared_version": shared_version}
    return CandidateForm(initial={"text": typed["text"], "note": typed["note"], **versions})


def _compare_mine(form: CandidateForm | None, item: ReviewItem) -> dict[str, Any] | None:
    """What was typed beside the candidate as it is now, where they differ."""
    typed = form.cleaned_data["text"] if form is not None and form.is_valid() else ""
    try:
        chunks = read_chunks(item, typed)
    except AnswerError:
        return None
    if chunks == item.chunks:
        return None
    left, right = lay_side_by_side(item.chunks, chunks)
    return {"left": left, "right": right}


def _tell_conflict(item: ReviewItem) -> str:
    who = item.decided_by or item.author or _("somebody")
    if not item.is_open:
        return _("%(who)s was quicker: it is %(state)s. Nothing of yours is lost: your text is below.") % {
            "who": who,
            "state": item.get_state_display(),
        }
    return _("The candidate has changed since you opened this page. Nothing of yours is lost: both texts are below.")


def _list_texts(item: ReviewItem) -> list[dict[str, Any]]:
    """The other texts, the newest first."""
    texts = ReviewText.objects.filter(item=item).exclude(run=item.run).select_related("author")[:20]
    return [{"row": text, "parts": list_parts(text.chunks)} for text in texts]
