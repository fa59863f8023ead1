"""Files of questions and ready answers: read, previewed, published, and cut off anywhere."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from openpyxl import Workbook

from cache_admin import gateways
from cache_admin.mapping import epoch_ms
from cache_admin.models import AnswerVersion, CachedAnswer, Topic, WarmBatch, WarmRow
from cache_admin.services.answers import AnswerError, edit_answer
from cache_admin.services.mirror import apply_items
from cache_admin.warming import batches, driving, planning, reading
from cache_admin.warming.batches import make_file_batch
from cache_admin.warming.driving import drive_batches
from cache_admin.warming.planning import read_time
from cache_admin.warming.reading import Draft, UnreadableError, read_drafts
from connectgenai.wire.store import AnswerStore, StoreError
from tests.aws import Aws
from tests.cache_admin.conftest import ask, generate

LIST = "/admin/cache_admin/warmbatch/"
ROWS = [
    ("question", "answer", "topic"),
    ("Are you open?", "Yes, we are open.", "faq"),
    ("Do you sell stamps?", "Yes.", "faq"),
]


def to_csv(rows: Sequence[tuple[str, ...]]) -> bytes:
    return "\n".join(",".join(f'"{cell}"' for cell in row) for row in rows).encode()


def to_xlsx(rows: Sequence[tuple[Any, ...]]) -> bytes:
    book, kept = Workbook(), io.BytesIO()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    book.save(kept)
    return kept.getvalue()


def to_json(rows: Sequence[tuple[str, ...]]) -> bytes:
    return json.dumps([dict(zip(rows[0], row, strict=True)) for row in rows[1:]]).encode()


@pytest.fixture
def read(tmp_path: Path) -> Any:
    """The rows of a file with these bytes and this name."""

    def look(content: bytes, name: str) -> list[Draft]:
        path = tmp_path / "upload"
        path.write_bytes(content)
        return list(read_drafts(path, name=name))

    return look


# -- reading


@pytest.mark.parametrize(("make", "name"), [(to_csv, "a.csv"), (to_xlsx, "a.xlsx"), (to_json, "A.JSON")])
def test_every_kind_of_file_gives_the_same_rows(make: Any, name: str, read: Any) -> None:
    drafts = read(make(ROWS), name)
    assert [(draft.question, draft.answer, draft.topic) for draft in drafts] == ROWS[1:]
    assert [draft.number for draft in drafts] == ([1, 2] if name == "A.JSON" else [2, 3])


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_spreadsheets_ways_of_writing_csv_are_understood(delimiter: str, encoding: str, read: Any) -> None:
    text = f'Question{delimiter}Valid From\r\n"Über\r\nwas?"{delimiter}2027-01-31\r\n\r\nUnd?{delimiter}\r\n'
    drafts = read(text.encode(encoding), "a.csv")
    assert [draft.question for draft in drafts] == ["Über\r\nwas?", "Und?"]
    assert drafts[0].valid_from == "2027-01-31"


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (b"", "a.csv", "empty"),
        (b"\n\n", "a.csv", "empty"),
        (b"frage,antwort\n1,2", "a.csv", "frage, antwort"),
        ("question\nOk?\nÜber?".encode("latin-1"), "a.csv", "Row 3 is not UTF-8"),
        (b'question\n"broken"quote"', "a.csv", "Row 2 is broken"),
        (b"\xff\xfeq\x00\xff", "a.csv", "UTF-16"),
        (b"PK\x03\x04 and no more", "a.xlsx", "no workbook"),
        (b"<html>", "a.xlsx", "no workbook"),
        (b"", "a.json", "empty"),
        (b'{"question": "x"}', "a.json", "must hold a list"),
        (b'[{"question": "x"}, {"question": ', "a.json", "after item 1"),
        (b'[{"question": "x"}, 3]', "a.json", "Item 2 is no object"),
        (b'["\xff"]', "a.json", "not UTF-8"),
        (b"[" * 100_000, "a.json", "item 0"),
        (b"question\nOk?", "a.ods", "csv, .xlsx or .json"),
    ],
)
def test_a_broken_file_says_where_and_why(content: bytes, name: str, message: str, read: Any) -> None:
    with pytest.raises(UnreadableError, match=message):
        read(content, name)


def test_a_workbook_that_is_another_archive_or_unfolds_without_end_is_refused(
    read: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet1.xml", b"0" * 5_000_000)
    with pytest.raises(UnreadableError, match="no workbook"):
        read(kept.getvalue(), "a.xlsx")
    monkeypatch.setattr(reading, "_MAX_UNZIPPED", 1_000_000)
    with pytest.raises(UnreadableError, match="unfolds"):
        read(kept.getvalue(), "a.xlsx")


def test_more_rows_than_are_read_are_refused(read: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_ROWS", 1)
    with pytest.raises(UnreadableError, match="more than 1 rows"):
        read(to_csv(ROWS), "a.csv")


def test_dates_of_a_workbook_are_dates(read: Any) -> None:
    rows = [("question", "valid_from"), ("Are you open?", datetime(2027, 1, 31, 8, 0))]  # noqa: DTZ001 - as Excel has them
    assert read(to_xlsx(rows), "a.xlsx")[0].valid_from == "2027-01-31T08:00:00"


def test_a_day_as_an_end_is_over_when_the_day_is(settings: Any) -> None:
    assert read_time("2027-01-31", zone=UTC) == datetime(2027, 1, 31, tzinfo=UTC)
    assert read_time("2027-01-31", zone=UTC, is_end=True) == datetime(2027, 2, 1, tzinfo=UTC)
    assert read_time("2027-01-31 18:00+01:00", zone=UTC) == datetime(2027, 1, 31, 17, tzinfo=UTC)


@pytest.mark.parametrize("text", ["soon", "2027-02-31", "31.1.2027", "0001-01-01", "9999-12-31", "2027-01-31 25:00"])
def test_what_is_no_time_is_said_so(text: str) -> None:
    with pytest.raises(AnswerError, match="no time"):
        read_time(text, zone=UTC)


# -- from the upload to the answers


@pytest.fixture
def storage(tmp_path: Path) -> FileSystemStorage:
    return FileSystemStorage(tmp_path / "bucket")


def upload(content: bytes, storage: Any, *, kind: str = "answers", name: str = "a.csv") -> WarmBatch:
    return make_file_batch(
        ContentFile(content, name=name),
        kind=kind,
        topic="faq",
        language="",
        storage=storage,
        by=None,
        now=timezone.now(),
    )


def drive(store: AnswerStore, storage: Any, later: timedelta = timedelta(0)) -> None:
    queue: Any = gateways.prewarm_queue()
    drive_batches(store, queue, storage, clock=lambda: timezone.now() + later)


def see(store: AnswerStore, question: str) -> str:
    item = store.read_answer(ask(question).key, consistent=True)
    return " ".join(item.chunks) if item else ""


def test_an_import_is_previewed_and_then_published_as_supervisors_texts(
    topic: Topic, store: AnswerStore, storage: Any
) -> None:
    batch = upload(to_csv(ROWS), storage)
    drive(store, storage)
    batch.refresh_from_db()
    assert (batch.state, batch.read_rows) == ("preview", 2)
    assert see(store, "Are you open?") == ""
    assert batches.confirm(batch, now=timezone.now())
    drive(store, storage)
    batch.refresh_from_db()
    assert batch.state == "done"
    assert see(store, "Are you open?") == "Yes, we are open."
    assert CachedAnswer.objects.get(question="Are you open?").source == "curated"
    assert AnswerVersion.objects.filter(why="Imported from a.csv").count() == 2


def test_the_preview_tells_new_same_conflicting_and_invalid_rows_apart(
    topic: Topic, store: AnswerStore, storage: Any
) -> None:
    generate(store, ask("Are you open?"), "No, we are not.", now_ms=epoch_ms(timezone.now()))
    item = store.read_answer(ask("Are you open?").key, consistent=True)
    assert item is not None
    apply_items([item])
    rows = [("question", "answer", "topic", "valid_until"), ("Are you open?", "Yes.", "faq", ""), ("Is it far?", "", "faq", ""),
            ("Is it near?", "Yes.", "nope", ""), ("Is it over?", "Yes.", "", "2020-01-01"), ("Is it on?", "Yes.", "", ""),
            ("is it on", "No.", "", ""), ("Is it spoken?", "***", "", "")]  # fmt: skip
    batch = upload(to_csv(rows), storage)
    drive(store, storage)
    found = {row.number: (row.verdict, row.reason) for row in batch.rows.all()}
    assert [found[n][0] for n in range(2, 9)] == [
        "conflict", "invalid", "invalid", "invalid", "new", "conflict", "invalid",
    ]  # fmt: skip
    assert "no answer" in found[3][1]
    assert "published topic" in found[4][1]
    assert "over before" in found[5][1]
    assert "row 6" in found[7][1]


def test_the_same_file_again_changes_nothing(topic: Topic, store: AnswerStore, storage: Any) -> None:
    for _ in range(2):
        batch = upload(to_csv(ROWS), storage)
        drive(store, storage)
        batches.confirm(batch, now=timezone.now())
        drive(store, storage)
    assert {row.verdict for row in batch.rows.all()} == {"same"}
    assert AnswerVersion.objects.count() == 2


def test_what_a_colleague_wrote_after_the_preview_is_kept(topic: Topic, store: AnswerStore, storage: Any) -> None:
    generate(store, ask("Are you open?"), "No.", now_ms=epoch_ms(timezone.now()))
    item = store.read_answer(ask("Are you open?").key, consistent=True)
    assert item is not None
    apply_items([item])
    batch = upload(to_csv(ROWS), storage)
    drive(store, storage)
    batches.choose_all(batch, verdict="conflict", chosen=True)
    known = CachedAnswer.objects.get(question="Are you open?")
    edit_answer(known, text="Mine.", seen_version=known.version, pinned=False, store=store, now=timezone.now())
    batches.confirm(batch, now=timezone.now())
    drive(store, storage)
    row = batch.rows.get(question="Are you open?")
    assert (row.state, see(store, "Are you open?")) == ("failed", "Mine.")
    assert "changed since the preview" in row.failure
    assert row.answer == "Yes, we are open."


def test_a_text_with_a_time_is_published_then_and_ends_then(topic: Topic, store: AnswerStore, storage: Any) -> None:
    begin, end = timezone.now() + timedelta(days=1), timezone.now() + timedelta(days=2)
    rows = [
        ("question", "answer", "valid_from", "valid_until"),
        ("Are you open?", "Yes.", begin.isoformat(), end.isoformat()),
    ]
    batch = upload(to_csv(rows), storage)
    drive(store, storage)
    batches.confirm(batch, now=timezone.now())
    drive(store, storage)
    assert see(store, "Are you open?") == ""
    drive(store, storage, timedelta(days=1, minutes=1))
    item = store.read_answer(ask("Are you open?").key, consistent=True)
    assert item is not None
    assert abs(item.expires_at - end.timestamp()) < 5


def make_rows(count: int) -> list[tuple[str, ...]]:
    return [("question", "answer"), *((f"Do you sell thing {n}?", f"Yes, {n} of them.") for n in range(count))]


def test_reading_that_was_cut_off_goes_on_where_it_was(
    topic: Topic, store: AnswerStore, storage: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning.in_batches, "__defaults__", (10,))
    batch = upload(to_csv(make_rows(35)), storage)
    plan, turns = planning.Planner.plan, []

    def die(self: Any, drafts: Any) -> Any:
        turns.append(len(drafts))
        if len(turns) == 3:
            raise KeyboardInterrupt
        return plan(self, drafts)

    monkeypatch.setattr(planning.Planner, "plan", die)
    with pytest.raises(KeyboardInterrupt):
        drive(store, storage)
    batch.refresh_from_db()
    assert (batch.state, batch.read_rows, batch.rows.count()) == ("reading", 20, 20)
    drive(store, storage)  # the dead worker's lease still holds
    assert batch.rows.count() == 20
    drive(store, storage, timedelta(minutes=2))
    batch.refresh_from_db()
    assert (batch.state, batch.read_rows, batch.rows.count()) == ("preview", 35, 35)
    assert turns == [10, 10, 10, 10, 5]
    assert set(batch.rows.values_list("verdict", flat=True)) == {"new"}


def test_publishing_that_was_cut_off_doubles_and_loses_nothing(
    topic: Topic, store: AnswerStore, storage: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = upload(to_csv(make_rows(20)), storage)
    drive(store, storage)
    batches.confirm(batch, now=timezone.now())
    monkeypatch.setattr(driving, "PUBLISHED_AT_ONCE", 10)
    publish = AnswerStore.publish
    published: list[str] = []

    def stop_half_way(self: Any, asked: Any, **named: Any) -> Any:
        if len(published) == 14:
            raise StoreError("away", retryable=True)
        published.append(asked.key)
        return publish(self, asked, **named)

    monkeypatch.setattr(AnswerStore, "publish", stop_half_way)
    drive(store, storage)
    assert batches.read_progress(batch).done == 10
    monkeypatch.setattr(AnswerStore, "publish", publish)
    drive(store, storage)
    batch.refresh_from_db()
    assert (batch.state, batches.read_progress(batch).done) == ("done", 20)
    assert {item.epoch for row in batch.rows.all() if (item := store.read_answer(row.key, consistent=True))} == {1}
    assert AnswerVersion.objects.count() == 20


def test_a_cancelled_reading_stops(topic: Topic, store: AnswerStore, storage: Any) -> None:
    batch = upload(to_csv(make_rows(20)), storage)
    batches.cancel(batch, now=timezone.now())
    drive(store, storage)
    assert batch.rows.count() == 0


def test_a_file_that_cannot_be_read_ends_the_batch_with_the_reason(
    topic: Topic, store: AnswerStore, storage: Any, supervisor: Client
) -> None:
    batch = upload(b"frage\nWas?", storage)
    gone = upload(to_csv(ROWS), storage)
    storage.delete(str(gone.file))
    drive(store, storage)
    batch.refresh_from_db()
    gone.refresh_from_db()
    assert (batch.state, gone.state) == ("unreadable", "unreadable")
    assert "It says: frage" in supervisor.get(f"{LIST}{batch.pk}/change/").content.decode()
    assert "not in the bucket" in gone.problem


def test_two_thousand_rows_are_read_in_few_queries(
    topic: Topic, store: AnswerStore, storage: Any, django_assert_max_num_queries: Any
) -> None:
    upload(to_csv(make_rows(2_000)), storage)
    with django_assert_max_num_queries(80):
        drive(store, storage)
    assert WarmRow.objects.count() == 2_000


def test_batches_of_a_month_ago_go_with_their_files_unless_they_still_run(topic: Topic, storage: Any) -> None:
    old, running, fresh = (upload(to_csv(ROWS), storage) for _ in range(3))
    long_ago = timezone.now() - timedelta(days=31)
    WarmBatch.objects.exclude(pk=fresh.pk).update(created_at=long_ago)
    WarmBatch.objects.filter(pk=running.pk).update(state="running")
    assert batches.forget_old_batches(storage, now=timezone.now()) == 1
    assert set(WarmBatch.objects.values_list("pk", flat=True)) == {running.pk, fresh.pk}
    assert not storage.exists(str(old.file))
    assert storage.exists(str(fresh.file))


# -- the page


def post(supervisor: Client, content: bytes, name: str, path: str = "answers/", **more: str) -> Any:
    return supervisor.post(LIST + path, {"file": SimpleUploadedFile(name, content), "topic": "faq", **more})


def test_an_uploaded_file_goes_to_the_bucket_and_its_preview_shows_both_texts(
    topic: Topic, site: Aws, store: AnswerStore, supervisor: Client
) -> None:
    generate(store, ask("Are you open?"), "No, we are not.", now_ms=epoch_ms(timezone.now()))
    item = store.read_answer(ask("Are you open?").key, consistent=True)
    assert item is not None
    apply_items([item])
    reply = post(supervisor, to_xlsx(ROWS), "list.xlsx")
    assert "being read" in supervisor.get(reply["Location"]).content.decode()
    drive(store, gateways.file_storage())
    page = supervisor.get(reply["Location"]).content.decode()
    assert "No, we are not." in page
    assert "Yes, we are open." in page


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (b"question", "a.pdf", "ends in .csv, .xlsx or .json"),
        (b"question", "a.xlsx", "does not hold what its name says"),
        (b"PK\x03\x04", "a.csv", "rename it"),
        (b"", "a.csv", "empty"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused_at_its_field(
    content: bytes, name: str, message: str, topic: Topic, supervisor: Client
) -> None:
    page = post(supervisor, content, name, language="en-US").content.decode()
    assert message in page
    assert 'value="en-US"' in page
    assert not WarmBatch.objects.exists()


def test_a_file_of_50_megabytes_is_refused(topic: Topic, supervisor: Client) -> None:
    page = post(supervisor, b"question\n" + b"x" * 50 * 2**20, "a.csv").content.decode()
    assert "larger than 40 MB" in page
