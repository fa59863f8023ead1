"""Why a message was parked, in words for supervisors."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# worker's word -> what it means, and whether to send the message back is worth it
REASONS: dict[str, tuple[Promise, Promise]] = {
    "failed": (
        _("Failed three times"),
        _("Three workers began it and none came to an end. Send it back once the cause is mended."),
    ),
    "not_json": (_("Unreadable"), _("It is no JSON. To send it back would bring it here again.")),
    "not_an_object": (_("Unreadable"), _("It is JSON, but no request. To send it back would bring it here again.")),
    "not_a_request": (_("No question"), _("It is no request for an answer: something is missing or of a wrong kind.")),
    "bad_arguments": (_("No question"), _("It names our task, but with arguments that the task does not take.")),
    "bad_envelope": (_("Unreadable"), _("It looks like a message of Celery's, and is damaged.")),
    "canvas_not_allowed": (_("Not allowed"), _("It asks for a chain of tasks, which workers refuse.")),
    "task_not_allowed": (_("Unknown task"), _("It names a task that workers do not run for messages.")),
    "task_unknown": (_("Unknown task"), _("It names a task that this version of the workers does not know.")),
    "not_taken_in": (_("Not taken in"), _("A worker could not make a task of it. Its log says more.")),
    "too_long": (_("Too long"), _("A request has a few hundred characters; this has more than 65,536.")),
    "too_deep": (_("Too deeply nested"), _("No request is nested so deeply: it may be an attack.")),
    "typed_json": (_("Not allowed"), _("It asks for Python objects to be made of it: it may be an attack.")),
    "too_late": (_("Put off too long"), _("It is to be done later than a message can be held.")),
}


def name_reason(reason: str) -> str:
    """The reason in a few words; the worker's own word when there are none for it."""
    return str(REASONS[reason][0]) if reason in REASONS else reason


def explain_reason(reason: str) -> str:
    """The reason in a sentence, or ""."""
    return str(REASONS[reason][1]) if reason in REASONS else ""
