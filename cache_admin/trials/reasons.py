"""Why a generation came to nothing, in words for supervisors; the worker's stable words are in jobs/bedrock.py."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

REASONS: dict[str, Promise] = {
    "throttled": _("The model's quota is used up for the moment. Try again in a minute."),
    "model_busy": _("The model is not ready, or overloaded. Try again in a minute."),
    "busy": _("The model's quota is spent: callers come first. Try again in a minute."),
    "model_down": _("The model has failed again and again, and is left alone for a while."),
    "model_timeout": _("The model took too long."),
    "network": _("The connection to the model, or to the documents, broke. Try again."),
    "cut_off": _("The model's text broke off in the middle. Try again."),
    "truncated": _(
        "The answer would have been longer than the topic allows: a caller would be handed over to a person."
    ),
    "guardrail": _("The topic's guardrail stopped the answer."),
    "content_filter": _("The model's own filter stopped the answer."),
    "empty": _("The model answered nothing."),
    "unusable": _("The model ended in a way that is no answer."),
    "access_denied": _("The workers may not use this model: ask your administrator."),
    "model_refused": _("The model refused the request: a setting of the topic does not fit it."),
    "document_missing": _("The text of a document is missing: upload the document again."),
    "topic_unknown": _("The topic is not published, or names no model."),
    "worker_failed": _("The worker failed: ask your administrator."),
    "not_sent": _("The request could not be sent. Try again."),
}


def explain_failure(reason: str) -> str:
    """The reason in a sentence; the stable word itself when there is none for it."""
    return str(REASONS.get(reason, reason))
