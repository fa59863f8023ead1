"""Why a list is empty, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Words = str | Promise
NOTHING_MATCHES: Final = (
    _("Nothing matches"),
    _("Take away a filter, or search for other words."),
)
FALLBACK: Final = (_("Nothing here yet"), _("Rows appear here by themselves as soon as there are any."))
REASONS: Final[Mapping[str, tuple[Words, Words]]] = {
    "cachedanswer": (
        _("No answers yet"),
        _("They appear as soon as somebody calls. To have some ready before, pre-warm the questions that you expect."),
    ),
    "reviewitem": (
        _("Nothing waits for review"),
        _("Answers come here that callers brought about in topics that need approval, and texts that were sent in."),
    ),
    "approvedanswer": (
        _("Nothing is due"),
        _(
            "Approved texts come here when their day of verification has come, or when callers do not hear them any more."
        ),
    ),
    "call": (
        _("No calls yet"),
        _("They appear while callers talk. To hear how a call goes, place one yourself with the phone."),
    ),
    "incident": (
        _("No incident text was ever on"),
        _("When something breaks, switch one on: all callers of a topic hear it within a second."),
    ),
    "topic": (
        _("No topics yet"),
        _(
            "Callers can ask nothing before there is one. Add it here: its instructions, its documents, and how callers wait."
        ),
    ),
    "waitpolicy": (
        _("No wait policies yet"),
        _("A topic needs one: it says what callers hear until their answer is there."),
    ),
    "warmbatch": (
        _("No batches yet"),
        _("Type or paste questions, or read them from a file. You see everything before it costs anything."),
    ),
    "warmschedule": (
        _("No schedules yet"),
        _("Add one, and the questions asked most have their answers ready every morning."),
    ),
    "parkedmessage": (
        _("No parked questions"),
        _("Everything was answered. Questions come here that have failed three times; callers were told so meanwhile."),
    ),
    "reconciliation": (
        _("Never compared yet"),
        _("Compare this site's copy with what callers hear. It is done by itself every night, too."),
    ),
    "modellimit": (
        _("No limits entered"),
        _(
            "Add the quota of each model, so that callers' questions never fail on it, and its prices, so that costs are shown."
        ),
    ),
    "uploadedflow": (
        _("No flows yet"),
        _("Upload a flow as Connect exports it: it is checked, and can be called from the phone."),
    ),
    "taskresult": (
        _("No tasks lately"),
        _("What the workers have done stands here for some days."),
    ),
    "auditentry": (
        _("Nothing was decided yet"),
        _("Every decision is written down here, with what was before and what is since."),
    ),
}


@dataclass(frozen=True, slots=True)
class Emptiness:
    """What to say, and where to go."""

    title: Words
    advice: Words
    url: str = ""
    link: Words = ""


def describe_emptiness(cl: Any) -> Emptiness:
    """Another thing for a filter that nothing matches than for a list in which there was never anything."""
    if cl.query or cl.has_active_filters or cl.get_filters_params():
        return Emptiness(*NOTHING_MATCHES, url="?", link=_("Show all"))
    return Emptiness(*REASONS.get(cl.opts.model_name, FALLBACK))
