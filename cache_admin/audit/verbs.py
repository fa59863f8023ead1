"""What a decision is called in the trail: stable words, which filters, reports and undo go by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.db.models import Model
from django.http import HttpRequest

ADDED, CHANGED, DELETED = "added", "changed", "deleted"
NOUNS: Final[Mapping[str, str]] = {
    "cachedanswer": "answer",
    "reviewitem": "answer",
    "approvedanswer": "answer",
    "waitpolicy": "policy",
    "modellimit": "limit",
    "warmschedule": "schedule",
    "warmbatch": "batch",
    "reconciliation": "drift",
    "parkedmessage": "parked",
    "uploadedflow": "flow",
}
# (the page's name, the button or action) -> the verb; "" stands for any
_VERBS: Final[Mapping[tuple[str, str], str]] = {
    ("cache_admin_cachedanswer_change", ""): "answer.edited",
    ("cache_admin_cachedanswer_change", "send"): "answer.sent_in",
    ("cache_admin_cachedanswer_change", "draft"): "answer.drafted",
    ("cache_admin_cachedanswer_compare", "send"): "answer.sent_in",
    ("cache_admin_cachedanswer_compare", ""): "answer.put_back",
    ("cache_admin_cachedanswer_invalidate", ""): "answer.invalidated",
    ("cache_admin_cachedanswer_prewarm", ""): "question.prewarmed",
    ("cache_admin_cachedanswer_anew", "generate"): "answer.compared",
    ("cache_admin_cachedanswer_anew", "publish"): "answer.replaced",
    ("cache_admin_cachedanswer_anew", "keep"): "answer.kept",
    ("cache_admin_reviewitem_take_in", ""): "topic.taken_in",
    ("cache_admin_topic_try", ""): "topic.tried",
    ("cache_admin_missedquestion_changelist", ""): "question.prewarmed",
    ("cache_admin_topic_rewarm", ""): "batch.started",
    ("cache_admin_topic_document", ""): "topic.document_put_back",
    ("cache_admin_topic_add", ""): "topic.published",
    ("cache_admin_topic_change", ""): "topic.published",
    ("cache_admin_topic_changelist", "invalidate_selected"): "topic.invalidated",
    ("cache_admin_topic_changelist", "publish_selected"): "topic.published",
    ("cache_admin_waitpolicy_add", ""): "policy.saved",
    ("cache_admin_waitpolicy_change", ""): "policy.saved",
    ("cache_admin_waitpolicy_restore", ""): "policy.restored",
    ("cache_admin_incident_add", ""): "incident.switched_on",
    ("cache_admin_incident_off", ""): "incident.switched_off",
    ("cache_admin_incident_prolong", ""): "incident.prolonged",
    ("cache_admin_incident_again", ""): "incident.resumed",
    ("cache_admin_warmbatch_choose", ""): "batch.started",
    ("cache_admin_warmbatch_steer", "pause"): "batch.paused",
    ("cache_admin_warmbatch_steer", "resume"): "batch.resumed",
    ("cache_admin_warmbatch_steer", "cancel"): "batch.cancelled",
    ("cache_admin_warmbatch_steer", "retry"): "batch.retried",
    ("cache_admin_parkedmessage_replay", ""): "parked.replayed",
    ("cache_admin_parkedmessage_discard", ""): "parked.discarded",
    ("cache_admin_reconciliation_compare", "repair"): "drift.repaired",
    ("cache_admin_reconciliation_compare", ""): "drift.compared",
    ("cache_admin_modellimit_changelist", "try_models_again"): "limit.lifted",
    ("auth_user_changelist", "sign_out_everywhere"): "user.signed_out",
    ("auth_user_changelist", "forget_second_factor"): "user.second_factor_forgotten",
    ("auth_user_changelist", "unlock"): "user.unlocked",
    ("auth_user_password_change", ""): "user.password_set",
}  # fmt: skip
# What buttons say -> what was done by them, on whatever page
_DONE: Final[Mapping[str, str]] = {
    "approve": "approved",
    "reject": "rejected",
    "draft": "drafted",
    "return": "sent_back",
    "use": "chosen",
    "still_right": "verified",
    "care": "cared_for",
    "take_in": "taken_in",
    "send": "sent_in",
    "verify": "verified",
    "publish": "published",
    "invalidate": "invalidated",
    "assign": "assigned",
}
# What does not come from a page for an object
SUBMITTED, EXPORTED, UNFINISHED = "page.submitted", "data.exported", "decision.unfinished"
SIGNED_IN, SIGN_IN_FAILED = "person.signed_in", "person.sign_in_failed"
SIGNED_OUT, LOCKED_OUT = "person.signed_out", "person.locked_out"
UNDONE: Final = ".undone"
# Pages of other apps, where people see to their own sign-in
FORMS: Final[Mapping[str, str]] = {
    "mfa_activate_totp": "person.second_factor_set",
    "mfa_deactivate_totp": "person.second_factor_removed",
    "mfa_generate_recovery_codes": "person.recovery_codes_made",
    "password_change": "person.password_changed",
}


def find_verb(request: HttpRequest, obj: Model, how: str) -> str:
    """By the page and the button that was pressed there; a page that is not listed is called by its own name."""
    page, wish = find_page(request), find_wish(request)
    known = _VERBS.get((page, wish)) or _VERBS.get((page, ""))
    if known:
        return known
    noun, model = find_noun(obj), f"{obj._meta.app_label}_{obj._meta.model_name}_"
    own = page.removeprefix(model) if page.startswith(model) else ""
    word = wish.removesuffix("_selected") if wish and how == CHANGED else own
    if word in ("", "add", "change", "delete", "changelist"):
        return f"{noun}.{how}"
    return f"{noun}.{_DONE.get(word, word)}"


def find_noun(obj: Model) -> str:
    """The kind of object in the trail's words."""
    return NOUNS.get(str(obj._meta.model_name), str(obj._meta.model_name))


def find_page(request: HttpRequest) -> str:
    """The name of the page in the site's addresses."""
    return str(getattr(getattr(request, "resolver_match", None), "url_name", None) or "")


def find_wish(request: HttpRequest) -> str:
    """The action of a list, or the button of a page that has several."""
    wish = request.POST.get("action") or request.POST.get("do") or ("repair" if "repair" in request.POST else "")
    return wish[:40]


def list_verbs() -> list[str]:
    """Those that can be chosen in the list, in order."""
    plain = [
        f"{noun}.{how}" for noun in ("schedule", "limit", "user", "group", "flow") for how in (ADDED, CHANGED, DELETED)
    ]
    more = (SUBMITTED, EXPORTED, UNFINISHED, SIGNED_IN, SIGN_IN_FAILED, SIGNED_OUT, LOCKED_OUT)
    buttons = [f"answer.{done}" for done in _DONE.values() if done != "taken_in"]
    return sorted({*_VERBS.values(), *FORMS.values(), *plain, *buttons, *more})
