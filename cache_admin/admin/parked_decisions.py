"""What was decided about parked questions: noted in the admin's history, and told to whoever decided."""

from __future__ import annotations

from collections.abc import Collection

from django.contrib import messages
from django.contrib.admin.models import CHANGE, DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.http import HttpRequest
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from cache_admin.audit.recording import record_decisions
from cache_admin.audit.verbs import DELETED
from cache_admin.models import ParkedMessage
from cache_admin.services.parked import Settled

REPLAY, DISCARD = "replay", "discard"
OUTAGE = _("SQS does not serve at the moment (%s). Nothing is lost; try again.")


def record_decision(request: HttpRequest, rows: list[ParkedMessage], done: Collection[str], wish: str) -> None:
    """One line in the history for each message that is settled; ids, no words."""
    settled = [row for row in rows if row.message_id in set(done)]
    flag = CHANGE if wish == REPLAY else DELETION
    note = gettext("Sent back to the workers.") if wish == REPLAY else gettext("Discarded.")
    record_decisions(request, settled, DELETED)  # either way it is no longer there
    LogEntry.objects.log_actions(int(str(request.user.pk)), settled, flag, note)


def tell_outcome(request: HttpRequest, settled: Settled, wish: str) -> None:
    """Says what became of each, and why the rest is still there."""
    done, lost, homeless = len(settled.done), len(settled.lost), len(settled.homeless)
    if done and wish == REPLAY:
        messages.success(
            request,
            ngettext("%d message sent back to the workers.", "%d messages sent back to the workers.", done) % done,
        )
    elif done:
        messages.success(request, ngettext("%d message discarded.", "%d messages discarded.", done) % done)
    if lost:
        words = ngettext(
            "%d message was not found: somebody else has taken it, or holds it for a moment.",
            "%d messages were not found: somebody else has taken them, or holds them for a moment.",
            lost,
        )
        messages.warning(request, words % lost)
    if homeless:
        words = ngettext(
            "%d message does not say which queue it came from, and stays.",
            "%d messages do not say which queue they came from, and stay.",
            homeless,
        )
        messages.warning(request, words % homeless)
    if settled.error:
        messages.error(request, OUTAGE % settled.error)


def read_history() -> list[LogEntry]:
    """What was decided lately, by whom."""
    kind = ContentType.objects.get_for_model(ParkedMessage)
    return list(LogEntry.objects.filter(content_type=kind).select_related("user")[:10])
