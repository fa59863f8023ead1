"""Rows of a renewal: an answer that is still good is generated anew aside, and replaced when the new text is there.

Callers hear the old text until then. What a supervisor wrote, pinned or changed meanwhile is left alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext as _

from cache_admin.mapping import epoch_ms
from cache_admin.models import WarmRow
from cache_admin.services.answers import AnswerError, read_topic
from cache_admin.stored_words import in_english
from cache_admin.trials.choosing import publish_draft
from cache_admin.trials.drafts import ask_draft, drop_draft, identify_draft
from cache_admin.warming.sending import IN_REVIEW, end_row, note_sent, watch_rows
from connectgenai.wire.items import GENERATED, READY, AnswerItem
from connectgenai.wire.question import EVERYONE, AskedQuestion, identify_question
from connectgenai.wire.queue import RequestQueue
from connectgenai.wire.store import AnswerStore, ConflictError

State = WarmRow.State


@in_english
def send_renewals(rows: Sequence[WarmRow], *, store: AnswerStore, queue: RequestQueue, now: datetime) -> None:
    """Has a draft made for each row whose answer still is the model's, as the schedule saw it.

    Cut off between the claim and the row's own state, the next time finds its own draft. StoreError and
    QueueUnavailableError leave the rows that have not had their turn as they were.
    """
    for row in rows:
        if not _is_untouched(store.read_answer(row.key, consistent=True), row):
            _leave_alone(row, now)
            continue
        try:
            topic = read_topic(row.topic, store)
        except AnswerError as error:
            end_row(row, State.FAILED, now=now, failure=str(error))
            continue
        asked, since_ms = _identify(row), epoch_ms(row.batch.created_at)
        draft = ask_draft(asked, topic=topic, since_ms=since_ms, store=store, queue=queue, now=now)
        note_sent(row, draft, now=now, key=row.key)


@in_english
def watch_renewals(rows: Sequence[WarmRow], *, store: AnswerStore, queue: RequestQueue, now: datetime) -> int:
    """Puts the drafts that are there in their answers' places; how many are still being made."""

    def finish(row: WarmRow, draft: AnswerItem, now: datetime) -> None:
        _renew(row, draft, store=store, now=now)

    return watch_rows(rows, find_key=lambda row: _identify(row).key, finish=finish, store=store, queue=queue, now=now)


def _identify(row: WarmRow) -> AskedQuestion:
    return identify_draft(row.question, topic=row.topic, language=row.language)


def _is_untouched(answer: AnswerItem | None, row: WarmRow) -> bool:
    """Whether the model's text is there as the schedule saw it."""
    if answer is None or answer.state != READY or answer.version != row.seen_version:
        return False
    return answer.source == GENERATED and not answer.pinned


def _leave_alone(row: WarmRow, now: datetime) -> None:
    end_row(row, State.CANCELLED, now=now, failure=_("It has changed meanwhile, and was left as it is."))


def _renew(row: WarmRow, draft: AnswerItem, *, store: AnswerStore, now: datetime) -> None:
    """A row ends before its draft goes: cut off between, the next time finds the text published, and not its draft lost."""
    if draft.text_epoch != row.epoch:
        return end_row(row, State.FAILED, now=now, failure=_("Somebody has had another text made meanwhile."))
    tokens = (draft.input_tokens, draft.output_tokens)
    try:
        topic = read_topic(row.topic, store)
        if topic.needs_approval:  # the mirror has shown the draft to those who approve
            return end_row(row, State.DONE, now=now, failure=_(IN_REVIEW), tokens=tokens)
        publish_draft(
            draft, _find_shared(row), topic=topic, seen_version=row.seen_version, is_chosen=False, store=store, now=now
        )
    except AnswerError as error:
        return end_row(row, State.FAILED, now=now, failure=str(error), tokens=tokens)
    except ConflictError as conflict:
        if not _is_ours(conflict.current, draft):
            return _leave_alone(row, now)
    end_row(row, State.DONE, now=now, tokens=tokens)
    drop_draft(draft, reason="published", store=store, now=now)
    return None


def _find_shared(row: WarmRow) -> AskedQuestion:
    return identify_question(
        row.question, topic=row.topic, language=row.language, sharing=EVERYONE, caller="", contact_id="renewal"
    )


def _is_ours(current: AnswerItem | None, draft: AnswerItem) -> bool:
    """Whether callers hear this very text: our own write, before we were cut off."""
    return bool(current and current.state == READY and current.source == GENERATED and current.chunks == draft.chunks)
