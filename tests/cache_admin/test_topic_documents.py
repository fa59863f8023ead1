"""A topic's documents: replaced under the same title, read, downloaded, and put back."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from cache_admin.admin.topic_documents import SHOWN_CHARACTERS
from cache_admin.models import EarlierDocument, SourceDocument, Topic
from connectgenai.wire.store import AnswerStore
from tests.cache_admin.conftest import NOW, login
from tests.cache_admin.test_topics_admin import fill_in_again, page_of

PAGE = "/admin/cache_admin/topic/{}/{}/text/"


def upload(client: Client, topic: Topic, content: bytes, *, name: str = "hours.txt", title: str = "") -> Any:
    """Adds a document to those that the topic has, as its form would."""
    known = topic.documents.count()
    wish = {
        "documents-TOTAL_FORMS": str(known + 1),
        f"documents-{known}-file": SimpleUploadedFile(name, content),
        f"documents-{known}-title": title,
    }
    return client.post(page_of(topic), fill_in_again(topic, **wish))


def published(store: AnswerStore) -> list[str]:
    item = store.read_topic("faq")
    assert item is not None
    return [entry.partition(" ")[2] for entry in item.documents]


def read_words(topic: Topic) -> dict[str, int]:
    return dict(topic.documents.values_list("title", "words"))


def test_a_document_of_the_same_title_takes_the_place_of_the_one_before(
    supervisor: Client, topic: Topic, store: AnswerStore
) -> None:
    upload(supervisor, topic, b"Open from ten to four.")
    upload(supervisor, topic, b"Stamps cost two.", name="prices.txt")
    upload(supervisor, topic, b"Open from nine to five every day.")
    assert published(store) == ["hours", "prices"]
    assert read_words(topic) == {"hours": 7, "prices": 3}
    earlier = EarlierDocument.objects.get()
    assert (earlier.title, earlier.words, str(earlier.ended_by), str(earlier.uploaded_by)) == ("hours", 5, "ada", "ada")
    page = supervisor.get(page_of(topic)).content.decode()
    assert "Earlier documents" in page
    assert PAGE.format("earlier", earlier.pk) in page


def test_a_removed_document_is_listed_too(supervisor: Client, topic: Topic, store: AnswerStore) -> None:
    upload(supervisor, topic, b"Open from ten to four.")
    supervisor.post(page_of(topic), fill_in_again(topic, **{"documents-0-DELETE": "on"}))
    assert (published(store), EarlierDocument.objects.get().title) == ([], "hours")


def test_an_earlier_document_is_put_back_and_the_present_one_kept_in_turn(
    supervisor: Client, topic: Topic, store: AnswerStore
) -> None:
    upload(supervisor, topic, b"Open from ten to four.")
    first = SourceDocument.objects.get()
    upload(supervisor, topic, b"Open from nine to five every day.")
    upload(supervisor, topic, b"Stamps cost two.", name="prices.txt")
    url = PAGE.format("earlier", EarlierDocument.objects.get().pk)
    assert "It takes the place of the present document" in supervisor.get(url).content.decode()
    assert "is a document of the topic again" in supervisor.post(url, follow=True).content.decode()
    assert (published(store), read_words(topic)) == (["hours", "prices"], {"hours": 5, "prices": 3})
    back, kept = topic.documents.get(title="hours"), EarlierDocument.objects.get()
    assert (back.sha256, back.uploaded_at, kept.words) == (first.sha256, first.uploaded_at, 7)


def test_a_text_that_is_there_already_is_not_put_back(supervisor: Client, topic: Topic, store: AnswerStore) -> None:
    upload(supervisor, topic, b"Open from ten to four.")
    supervisor.post(page_of(topic), fill_in_again(topic, **{"documents-0-DELETE": "on"}))
    upload(supervisor, topic, b"Open from ten to four.", title="opening")
    reply = supervisor.post(PAGE.format("earlier", EarlierDocument.objects.get().pk))
    assert (reply.status_code, published(store)) == (409, ["opening"])
    assert "has this very text already" in reply.content.decode()


def test_two_new_documents_of_one_title_are_refused(supervisor: Client, topic: Topic) -> None:
    wish = {"documents-TOTAL_FORMS": "2"}
    for number, text in enumerate((b"Open from ten.", b"Open from nine.")):
        wish |= {f"documents-{number}-file": SimpleUploadedFile("a.txt", text), f"documents-{number}-title": "hours"}  # type: ignore[dict-item]
    page = supervisor.post(page_of(topic), fill_in_again(topic, **wish)).content.decode()
    assert "Another new document has this title." in page
    assert not SourceDocument.objects.exists()


def test_a_text_is_shown_as_the_model_reads_it_cut_short_and_escaped(supervisor: Client, topic: Topic) -> None:
    upload(supervisor, topic, b"<script>alert(1)</script> " + b"word " * SHOWN_CHARACTERS)
    page = supervisor.get(PAGE.format("document", SourceDocument.objects.get().pk)).content.decode()
    assert "&lt;script&gt;" in page
    assert "<script>alert" not in page
    assert "more characters" in page
    assert len(page) < 2 * SHOWN_CHARACTERS


def test_the_file_is_downloaded_as_it_was_uploaded(supervisor: Client, topic: Topic) -> None:
    upload(supervisor, topic, b"Open from ten to four.\r\n")
    document = SourceDocument.objects.get()
    url = f"/admin/cache_admin/topic/document/{document.pk}/file/"
    reply: Any = supervisor.get(url)
    assert b"".join(reply.streaming_content) == b"Open from ten to four.\r\n"
    assert reply["Content-Disposition"] == 'attachment; filename="hours.txt"'
    default_storage.delete(str(document.file.name))
    assert "cannot be had from the bucket" in supervisor.get(url, follow=True).content.decode()


def test_a_text_that_is_gone_from_the_bucket_is_said_to_be(supervisor: Client, topic: Topic) -> None:
    document = SourceDocument.objects.create(topic=topic, title="lost", sha256="0" * 64, kind="txt", file="documents/x")
    page = supervisor.get(PAGE.format("document", document.pk)).content.decode()
    assert "not in the bucket any more" in page


@pytest.mark.parametrize(("rights", "expected"), [([], (403, 403)), (["view_topic"], (200, 403))])
def test_who_may_read_and_put_back(client: Client, topic: Topic, rights: list[str], expected: tuple[int, int]) -> None:
    earlier = EarlierDocument.objects.create(
        topic=topic, title="hours", sha256="0" * 64, kind="txt", file="x", uploaded_at=NOW, ended_at=NOW,
    )  # fmt: skip
    login(client, *rights)
    url = PAGE.format("earlier", earlier.pk)
    assert (client.get(url).status_code, client.post(url).status_code) == expected


def test_other_kinds_are_not_found(supervisor: Client, topic: Topic) -> None:
    assert supervisor.get(PAGE.format("secret", 1)).status_code == 404
