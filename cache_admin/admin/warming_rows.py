"""What a batch's page shows: one page of its rows, and its figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count
from django.urls import reverse
from django.utils.translation import gettext as _

from cache_admin.admin.badges import badge
from cache_admin.amounts import show_count, show_decimal
from cache_admin.models import CachedAnswer, WarmBatch, WarmRow
from cache_admin.stored_words import read_stored
from cache_admin.trials.reasons import explain_failure
from cache_admin.warming.batches import FINAL, count_chosen, count_verdicts, read_progress
from cache_admin.warming.estimate import Estimate, measure_batch

State = WarmBatch.State
A_PAGE = 50
_FIRST = ("conflict", "new", "invalid", "same", "failed", "sent", "waiting", "done", "cancelled")
_TONES = {
    "new": "READY", "same": "left", "conflict": "PENDING", "invalid": "FAILED",
    "waiting": "left", "sent": "STARTED", "done": "SUCCESS", "failed": "FAILURE", "cancelled": "left",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class RowsPage:
    """Some rows of one verdict or state, by their numbers; the links' queries are "" where there is no such page."""

    rows: list[dict[str, Any]]
    tabs: list[dict[str, Any]]
    here: str
    query: str
    first: str
    following: str


def read_page(batch: WarmBatch, asked: Mapping[str, str]) -> RowsPage:
    """The page of rows that was asked for; whatever else is asked for shows the first."""
    column = "verdict" if _is_planned(batch) else "state"
    tabs = _make_tabs(batch, column, asked.get(column, ""))
    here = next((tab["value"] for tab in tabs if tab["is_here"]), "")
    after = asked.get("after", "")
    after_number = int(after) if after.isascii() and after.isdigit() and len(after) < 10 else 0
    rows = batch.rows.filter(number__gt=after_number, **{column: here}).order_by("number")
    if column == "state":
        rows = rows.filter(chosen=True)
    found = list(rows[: A_PAGE + 1])
    shown, query = found[:A_PAGE], f"{column}={here}"
    following = f"{query}&after={shown[-1].number}" if len(found) > A_PAGE else ""
    return RowsPage(_describe_rows(shown), tabs, here, query, query if after_number else "", following)


def _is_planned(batch: WarmBatch) -> bool:
    return batch.confirmed_at is None


def _make_tabs(batch: WarmBatch, column: str, wanted: str) -> list[dict[str, Any]]:
    """What there is of each verdict or state, that which wants attention open."""
    choices: list[tuple[Any, Any]] = [*WarmRow.Verdict.choices, *WarmRow.State.choices]
    if column == "verdict":
        counts = count_verdicts(batch)
    else:
        rows = batch.rows.filter(chosen=True).order_by()
        counts = dict(rows.values_list("state").annotate(rows=Count("pk")))
    there = [name for name in _FIRST if counts.get(name)]
    here = wanted if wanted in there else next(iter(there), "")
    return [
        {"value": value, "label": label, "count": counts[value], "is_here": value == here, "query": f"{column}={value}"}
        for value, label in choices
        if counts.get(value)
    ]


def _describe_rows(rows: list[WarmRow]) -> list[dict[str, Any]]:
    answers = CachedAnswer.objects.filter(key__in=[row.key for row in rows if row.key])
    known = {answer.key: answer for answer in answers}
    return [_describe_row(row, known.get(row.key)) for row in rows]


def _describe_row(row: WarmRow, answer: CachedAnswer | None) -> dict[str, Any]:
    is_planned = row.state == WarmRow.State.PLANNED
    word, label = (row.verdict, row.get_verdict_display()) if is_planned else (row.state, row.get_state_display())
    return {
        "row": row,
        "badge": badge(_TONES[word], label),
        "reason": explain_failure(read_stored(row.failure or (row.reason if is_planned else ""))),
        "may_choose": row.verdict != WarmRow.Verdict.INVALID,
        "url": reverse("admin:cache_admin_cachedanswer_change", args=[answer.pk]) if answer else "",
        "there": answer.text if answer and row.answer else "",
    }


def describe_progress(batch: WarmBatch) -> dict[str, Any]:
    """A batch's figures as the page shows them, and asks for them again while `is_moving`."""
    planned = _is_planned(batch)
    return {
        "state": batch.state,
        "label": batch.get_state_display(),
        "is_moving": batch.state in (State.READING, State.RUNNING)
        or (batch.state == State.PAUSED and _has_sent(batch)),
        "is_over": batch.state in FINAL,
        **(_describe_reading(batch) if planned else _describe_work(batch)),
    }


def _has_sent(batch: WarmBatch) -> bool:
    return batch.rows.filter(state=WarmRow.State.SENT).exists()


def _describe_reading(batch: WarmBatch) -> dict[str, Any]:
    expected = max(batch.expected_rows, batch.read_rows)
    is_reading = batch.state == State.READING
    percent = min(99, 100 * batch.read_rows // expected) if is_reading and expected else 0 if is_reading else 100
    chosen = sum(count_chosen(batch).values()) if batch.state == State.PREVIEW else 0
    figures = [(_("rows read"), show_count(batch.read_rows))]
    if batch.state == State.PREVIEW:
        figures.append((_("chosen"), show_count(chosen)))
    return {"percent": percent, "figures": _named(figures)}


def _describe_work(batch: WarmBatch) -> dict[str, Any]:
    progress = read_progress(batch)
    figures = [
        (_("of"), progress.total),
        (_("done"), progress.done),
        (_("under way"), progress.sent),
        (_("waiting"), progress.waiting),
        (_("failed"), progress.failed),
        (_("cancelled"), progress.cancelled),
    ]
    shown = [(name, show_count(value)) for name, value in figures]
    if batch.kind != WarmBatch.Kind.ANSWERS:
        shown.append((_("used"), show_cost(measure_batch(batch))))
    percent = 100 * progress.over // progress.total if progress.total else 0
    return {"percent": percent, "failed": progress.failed, "figures": _named(shown)}


def _named(figures: list[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in figures]


def show_cost(cost: Estimate) -> str:
    """Tokens, and dollars if the prices are known."""
    read, written = (show_count(count) for count in (cost.input_tokens, cost.output_tokens))
    tokens = _("%(read)s + %(written)s tokens") % {"read": read, "written": written}
    return tokens if cost.dollars is None else f"{tokens} = ${show_decimal(cost.dollars, 2)}"
