"""Rows of questions: claimed and sent as a caller's would be, but to the queue for which nobody waits; then watched."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from operator import attrgetter

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from cache_admin.mapping import epoch_ms
from cache_admin.models import WarmRow
from cache_admin.services.answers import AnswerError, prewarm_question
from connectgenai.wire.items import FAILED, GENERATED, PENDING, READY, AnswerItem, answer_pk, from_attributes
from connectgenai.wire.question import DRAFT, QuestionError
from connectgenai.wire.queue import RequestQueue
from connectgenai.wire.request import GenerationRequest
from connectgenai.wire.store import AnswerStore, is_requeue_due

State = WarmRow.State
Finish = Callable[[WarmRow, AnswerItem, datetime], None]
_READ_AT_ONCE = 100
SENT_AGAIN_AFTER_MS = (
    1_800_000  # a worker may wait long for what callers leave of a quota; SQS itself gives back what a dead one had
)
GIVEN_UP_AFTER = timedelta(hours=1)
IN_REVIEW = gettext_noop("Sent to review: heard when somebody has approved it.")


def send_rows(rows: Sequence[WarmRow], *, store: AnswerStore, queue: RequestQueue, now: datetime) -> None:
    """Has each row's question answered; a row is SENT, or over if there is nothing to send.

    Cut off between the claim and the row's own state, the next time finds the question claimed, and joins its own claim.
    StoreError and QueueUnavailableError leave the rows that have not had their turn as they were.
    """
    for row in rows:
        try:
            outcome, item = prewarm_question(
                row.topic, question=row.question, language=row.language, store=store, queue=queue, now=now
            )
        except (AnswerError, QuestionError) as error:
            end_row(row, State.FAILED, now=now, failure=str(error))
            continue
        if outcome == "hit":
            end_row(row, State.DONE, now=now)
        elif outcome == "failed":
            end_row(row, State.FAILED, now=now, failure=item.reason)
        else:
            note_sent(row, item, key=item.key, now=now)  # a draft's, in a topic that needs approval


def note_sent(row: WarmRow, item: AnswerItem, *, key: str, now: datetime) -> None:
    """The row is under way, for the answer under this key."""
    own = WarmRow.objects.filter(pk=row.pk, state=State.WAITING)
    own.update(state=State.SENT, key=key, epoch=item.epoch, sent_at=now)


def watch_rows(
    rows: Sequence[WarmRow],
    *,
    find_key: Callable[[WarmRow], str] = attrgetter("key"),
    finish: Finish | None = None,
    store: AnswerStore,
    queue: RequestQueue,
    now: datetime,
) -> int:
    """Notes which of the rows under way are over, and sends again what has been lost; how many are still under way.

    `find_key` says where the answer to a row is being made, `finish` what is done with it then.
    """
    keys = [find_key(row) for row in rows]
    items = _read(keys, store)
    states = [
        _watch(row, items.get(key), finish=finish or finish_row, store=store, queue=queue, now=now)
        for row, key in zip(rows, keys, strict=True)
    ]
    return sum(states)


def _read(keys: Sequence[str], store: AnswerStore) -> dict[str, AnswerItem]:
    pks = sorted({answer_pk(key) for key in keys})
    batches = (pks[start : start + _READ_AT_ONCE] for start in range(0, len(pks), _READ_AT_ONCE))
    found = [from_attributes(AnswerItem, item) for batch in batches for item in store.read_items(batch).values()]
    return {item.key: item for item in found}


def _watch(
    row: WarmRow, item: AnswerItem | None, *, finish: Finish, store: AnswerStore, queue: RequestQueue, now: datetime
) -> bool:
    """Whether the row is still under way."""
    if item is None:
        end_row(row, State.FAILED, now=now, failure=_("The question is not in DynamoDB any more."))
    elif item.state == READY:
        finish(row, item, now)
    elif item.state == FAILED:
        end_row(row, State.FAILED, now=now, failure=item.reason)
    elif item.state != PENDING:
        end_row(row, State.FAILED, now=now, failure=_("It was withdrawn meanwhile."))
    elif row.sent_at and now - row.sent_at > GIVEN_UP_AFTER:
        end_row(row, State.FAILED, now=now, failure=_("No worker answered within an hour."))
    else:
        _send_again_if_lost(item, store=store, queue=queue, now=now)
        return True
    return False


def finish_row(row: WarmRow, item: AnswerItem, now: datetime) -> None:
    """The answer is there: what a later ask, or a supervisor, has made of it did not cost this batch anything."""
    is_ours = item.text_epoch == row.epoch and item.source == GENERATED
    tokens = (item.input_tokens, item.output_tokens) if is_ours else (0, 0)
    end_row(row, State.DONE, now=now, failure=_(IN_REVIEW) if item.scope == DRAFT else "", tokens=tokens)


def _send_again_if_lost(item: AnswerItem, *, store: AnswerStore, queue: RequestQueue, now: datetime) -> None:
    """Of several who find it lost one sends; a worker drops what it has already."""
    now_ms = epoch_ms(now)
    is_old = now_ms - item.requeued_at > SENT_AGAIN_AFTER_MS
    if is_old and is_requeue_due(item, now_ms=now_ms) and store.requeue(item, now_ms=now_ms):
        queue.send(GenerationRequest(key=item.key, epoch=item.epoch))


def end_row(row: WarmRow, state: str, *, now: datetime, failure: str = "", tokens: tuple[int, int] = (0, 0)) -> None:
    """A row ends once, unless it was cancelled meanwhile."""
    own = WarmRow.objects.filter(pk=row.pk, state__in=(State.WAITING, State.SENT))
    own.update(state=state, failure=failure[:300], ended_at=now, input_tokens=tokens[0], output_tokens=tokens[1])
