"""Rows as they were written -> what would become of each: new, the same, conflicting, or invalid with the reason."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, tzinfo

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.timezone import get_default_timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cache_admin.mapping import storable
from cache_admin.models import CachedAnswer, Topic, WarmBatch, WarmRow
from cache_admin.people.scope import seen_by
from cache_admin.preferences.applying import find_preferences, find_zone
from cache_admin.services.answers import AnswerError, make_chunks
from cache_admin.stored_words import in_english
from cache_admin.warming.reading import Draft
from connectgenai.wire.flow import choose_language
from connectgenai.wire.question import EVERYONE, QuestionError, find_personal, identify_question

Verdict = WarmRow.Verdict
AT_ONCE = 500  # keys in one query
MAX_ANSWER_CHARACTERS = 20_000
_QUESTION_FAULTS = {
    "question_missing": gettext_lazy("There is no question."),
    "question_too_long": gettext_lazy("A question has at most 1,000 characters."),
    "question_unreadable": gettext_lazy("This is no question that a caller could speak."),
}


class Planner:
    """Judges a batch's rows in their order; it remembers the topics, and asks for the answers of many rows at once."""

    def __init__(self, batch: WarmBatch, *, now: datetime) -> None:
        self._batch, self._now = batch, now
        self._zone = find_zone(find_preferences(batch.created_by)) if batch.created_by else get_default_timezone()
        with seen_by(batch.created_by):  # a worker reads the file, for somebody who may be restricted to some topics
            topics = list(Topic.objects.prefetch_related("languages"))
        self._topics = {topic.name: topic for topic in topics}
        self._languages = {topic.name: dict.fromkeys(row.language for row in topic.languages.all()) for topic in topics}

    @in_english
    def plan(self, drafts: Iterable[Draft]) -> list[WarmRow]:
        """The unsaved rows of these drafts; what earlier rows of the batch ask counts as asked."""
        rows = [self._read(draft) for draft in drafts]
        keys = {row.key for row in rows if row.key}
        answers = {answer.key: answer for answer in _find_answers(keys)}
        asked = dict(self._batch.rows.filter(key__in=keys).order_by("-number").values_list("key", "number"))
        for row in rows:
            if row.verdict == Verdict.INVALID:
                continue
            if row.key in asked:
                row.verdict, row.reason = Verdict.CONFLICT, _("The same question as in row %d.") % asked[row.key]
            else:
                asked[row.key] = row.number
                self._compare(row, answers.get(row.key))
            row.chosen = row.verdict == Verdict.NEW
        return rows

    # -- one row by itself

    def _read(self, draft: Draft) -> WarmRow:
        row = WarmRow(
            batch=self._batch,
            number=draft.number,
            question=storable(draft.question)[:2_000],
            answer=storable(draft.answer) if self._is_import else "",
            topic=storable(draft.topic or self._batch.topic)[:100],
            language=storable(draft.language or self._batch.language)[:100],
            verdict=Verdict.NEW,
        )
        try:
            self._identify(row, draft)
        except (AnswerError, QuestionError) as error:
            row.verdict, row.key = Verdict.INVALID, ""
            row.reason = str(
                _QUESTION_FAULTS.get(error.reason, error.reason) if isinstance(error, QuestionError) else error
            )
        return row

    @property
    def _is_import(self) -> bool:
        return self._batch.kind == WarmBatch.Kind.ANSWERS

    def _identify(self, row: WarmRow, draft: Draft) -> None:
        topic = self._find_topic(row.topic)
        offered = choose_language(row.language, offered=self._languages[topic.name])
        if not offered:
            raise AnswerError(_("The topic is not offered in this language."))
        row.language = offered
        asked = identify_question(
            draft.question, topic=topic.name, language=row.language, sharing=EVERYONE, caller="", contact_id="batch"
        )
        if find_personal(draft.question):
            raise AnswerError(_("This is a personal question: its answer would never be shared."))
        row.key, row.question = asked.key, asked.question
        if self._is_import:
            self._check_answer(row, draft)

    def _find_topic(self, name: str) -> Topic:
        topic = self._topics.get(name)
        if not name:
            raise AnswerError(_("There is no topic: name it in the row, or choose one for the whole file."))
        if topic is None or topic.published_at is None:
            raise AnswerError(_("There is no published topic of this name."))
        if topic.sharing != Topic.Sharing.EVERYONE:
            raise AnswerError(_("This topic's answers are not shared by all callers."))
        return topic

    def _check_answer(self, row: WarmRow, draft: Draft) -> None:
        if not draft.answer:
            raise AnswerError(_("There is no answer."))
        if len(draft.answer) > MAX_ANSWER_CHARACTERS:
            raise AnswerError(_("An answer has at most 20,000 characters."))
        make_chunks(draft.answer)
        row.valid_from = read_time(draft.valid_from, zone=self._zone)
        row.valid_until = read_time(draft.valid_until, zone=self._zone, is_end=True)
        if row.valid_until and row.valid_until <= max(self._now, row.valid_from or self._now):
            raise AnswerError(_("It is over before it would begin."))

    # -- beside what is known

    def _compare(self, row: WarmRow, known: CachedAnswer | None) -> None:
        if known is None:
            return
        row.seen_version = known.version
        if self._is_import:
            _compare_text(row, known)
        else:
            self._compare_question(row, known)

    def _compare_question(self, row: WarmRow, known: CachedAnswer) -> None:
        revision = self._topics[row.topic].revision
        is_ready = known.state == CachedAnswer.State.READY
        if is_ready and not known.find_obstacle(topic_revision=revision, now=self._now):
            row.verdict, row.reason = Verdict.SAME, _("There is a good answer already.")
        elif known.state == CachedAnswer.State.PENDING and known.revision >= revision:
            row.verdict, row.reason = Verdict.SAME, _("The answer is being generated already.")
        elif is_ready and known.source == CachedAnswer.Source.CURATED:
            row.verdict, row.reason = Verdict.CONFLICT, _("A supervisor's text, which is outdated, would be replaced.")


def _compare_text(row: WarmRow, known: CachedAnswer) -> None:
    if known.state != CachedAnswer.State.READY:
        return
    if tuple(known.chunks) == tuple(make_chunks(row.answer)) and known.source == CachedAnswer.Source.CURATED:
        row.verdict, row.reason = Verdict.SAME, _("This very text is there already.")
    else:
        row.verdict, row.reason = Verdict.CONFLICT, _("Another text is there already.")


def _find_answers(keys: set[str]) -> Iterable[CachedAnswer]:
    return CachedAnswer.objects.filter(key__in=keys).only(
        "key", "version", "state", "source", "chunks", "revision", "expires_at", "pinned"
    )


def read_time(text: str, *, zone: tzinfo, is_end: bool = False) -> datetime | None:
    """A day, or a day and a time, as in 2027-01-31 or 2027-01-31 18:00, in `zone` where none is named; a day as an end is
    over when the day is. AnswerError when it is none, or when the clocks of the zone show that time twice or never."""
    if not text:
        return None
    try:
        day = parse_date(text)
        found = datetime.combine(day, datetime.min.time()) + timedelta(days=is_end) if day else parse_datetime(text)
    except (ValueError, OverflowError):
        found = None
    if found is None or not 2000 <= found.year <= 9000:
        raise AnswerError(_("“%s” is no time: write it as in 2027-01-31 or 2027-01-31 18:00.") % text[:40])
    if timezone.is_aware(found):
        return found
    if not day and _is_unclear(found, zone):
        hint = _(
            "“%(time)s” comes twice or never in %(zone)s, where the clocks change: add the offset, as in 2027-01-31 18:00+01:00."
        )
        raise AnswerError(hint % {"time": text[:40], "zone": zone})
    return found.replace(tzinfo=zone)


def _is_unclear(local: datetime, zone: tzinfo) -> bool:
    """Whether it falls into the hour that is left out, or comes twice, when the clocks change."""
    first, second = (local.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    return first != second


def in_batches(drafts: Iterable[Draft], size: int = AT_ONCE) -> Iterable[Sequence[Draft]]:
    """The drafts, so many at once."""
    held: list[Draft] = []
    for draft in drafts:
        held.append(draft)
        if len(held) == size:
            yield held
            held = []
    if held:
        yield held
