"""Lists as files: all that is filtered, no formulas, and read again by the import."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.http import StreamingHttpResponse
from django.test import Client
from django.utils import timezone
from openpyxl import load_workbook

from cache_admin.models import CachedAnswer, Call, Topic
from cache_admin.warming.exporting import FORMATS, write_csv, write_xlsx
from cache_admin.warming.reading import read_drafts
from connectgenai.wire.question import AskedQuestion
from tests.cache_admin.conftest import ask, login

ANSWERS, CALLS, MISSED = (f"/admin/cache_admin/{name}/" for name in ("cachedanswer", "call", "missedquestion"))


def make_answer(question: str, text: str = "Yes.", *, state: str = "READY") -> CachedAnswer:
    asked = ask(question)
    names = {name: getattr(asked, name) for name in AskedQuestion.__slots__}
    return CachedAnswer.objects.create(**names, state=state, chunks=[text], changed_at=timezone.now(), version=1)


def make_call(answer: CachedAnswer, contact_id: str, *, outcome: str = "abandoned") -> Call:
    now = timezone.now()
    return Call.objects.create(
        contact_id=contact_id,
        key=answer.key,
        topic="faq",
        language="en-US",
        caller="k1:secret",
        outcome=outcome,
        asked_at=now,
        last_seen_at=now,
        changed_at=now,
    )


def fetch(client: Client, url: str) -> bytes:
    reply = client.get(url)
    assert isinstance(reply, StreamingHttpResponse)
    assert "attachment" in reply["Content-Disposition"]
    return b"".join(reply.streaming_content)


def read_csv(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def test_answers_are_exported_as_they_are_filtered_and_searched(topic: Topic, supervisor: Client) -> None:
    make_answer("Are you open?")
    make_answer("Do you sell stamps?", state="FAILED")
    make_answer("Do you sell coins?")
    rows = read_csv(fetch(supervisor, f"{ANSWERS}export/csv/?state__exact=READY"))
    assert {row["question"] for row in rows} == {"Are you open?", "Do you sell coins?"}
    rows = read_csv(fetch(supervisor, f"{ANSWERS}export/csv/?q=coins&cursor=broken"))
    assert [row["question"] for row in rows] == ["Do you sell coins?"]


def test_all_rows_are_exported_not_only_the_page(topic: Topic, supervisor: Client) -> None:
    for n in range(120):
        make_answer(f"Do you sell {n} stamps?")
    assert len(json.loads(fetch(supervisor, f"{ANSWERS}export/json/"))) == 120


def test_calls_are_exported_with_their_questions_and_without_their_callers(topic: Topic, supervisor: Client) -> None:
    make_call(make_answer("Are you open?"), "contact-1")
    content = fetch(supervisor, f"{CALLS}export/csv/")
    (row,) = read_csv(content)
    assert (row["contact_id"], row["question"], row["outcome"]) == ("contact-1", "Are you open?", "abandoned")
    assert b"secret" not in content


def test_missed_questions_are_exported_in_their_order(topic: Topic, supervisor: Client) -> None:
    few, many = make_answer("Few?", state="FAILED"), make_answer("Many?", state="FAILED")
    for n in range(3):
        make_call(many, f"m{n}")
    make_call(few, "f")
    rows = read_csv(fetch(supervisor, f"{MISSED}export/csv/?hours=24"))
    assert [(row["question"], row["callers"], row["abandoned"]) for row in rows] == [
        ("Many?", "3", "3"),
        ("Few?", "1", "1"),
    ]


RISKY = ['=HYPERLINK("http://x")', "+1", "-1+2", "@SUM(A1)", "\t=1", "\r=1", "'=1"]


@pytest.mark.parametrize("text", RISKY)
def test_no_cell_begins_like_a_formula(text: str) -> None:
    (row,) = read_csv(b"".join(write_csv(["question"], [{"question": text}])))
    assert row["question"] == f"'{text}"
    book = load_workbook(io.BytesIO(b"".join(write_xlsx(["question"], [{"question": text}]))))
    cell = book.worksheets[0]["A2"]
    assert cell.data_type == "s"
    assert str(cell.value).startswith("'")


@pytest.mark.parametrize("kind", sorted(FORMATS))
def test_what_was_exported_is_read_again_as_it_was(kind: str, tmp_path: Path) -> None:
    texts = ["=1+1 is two.", "'=1", "- a dash", "@ noon?", "'quoted'", "Ünïcode, “quotes”; and\nlines", "plain"]
    rows = [{"question": f"Question {n}?", "answer": text, "topic": "faq"} for n, text in enumerate(texts)]
    path = tmp_path / "export"
    path.write_bytes(b"".join(FORMATS[kind][1](["question", "answer", "topic"], rows)))
    assert [draft.answer for draft in read_drafts(path, name=f"a.{kind}")] == texts


@pytest.mark.parametrize("kind", sorted(FORMATS))
def test_an_export_of_answers_can_be_imported(kind: str, topic: Topic, supervisor: Client, tmp_path: Path) -> None:
    make_answer("Are you open?", "=Yes, we are.")
    path = tmp_path / "export"
    path.write_bytes(fetch(supervisor, f"{ANSWERS}export/{kind}/"))
    (draft,) = read_drafts(path, name=f"a.{kind}")
    assert (draft.question, draft.answer, draft.topic, draft.language) == (
        "Are you open?", "=Yes, we are.", "faq", "en-US",
    )  # fmt: skip


@pytest.mark.parametrize("path", [ANSWERS, CALLS, MISSED])
def test_whoever_may_not_look_may_not_export(path: str, client: Client, topic: Topic) -> None:
    login(client, "view_topic")
    assert client.get(f"{path}export/csv/").status_code == 403


@pytest.mark.parametrize("path", [ANSWERS, CALLS, MISSED])
def test_an_unknown_format_is_not_found(path: str, supervisor: Client, topic: Topic) -> None:
    assert supervisor.get(f"{path}export/exe/").status_code == 404


def test_the_lists_lead_to_their_exports(topic: Topic, supervisor: Client) -> None:
    make_call(make_answer("Are you open?"), "contact-1")
    for path, query in ((ANSWERS, "?state__exact=READY"), (CALLS, "?outcome__exact=abandoned"), (MISSED, "?hours=24")):
        page: Any = supervisor.get(path + query).content.decode()
        assert f"export/csv/{query}" in page
