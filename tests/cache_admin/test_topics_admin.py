from __future__ import annotations

from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from cache_admin.models import SourceDocument, Topic, WaitPolicy
from connectgenai.wire.items import document_text_key
from connectgenai.wire.store import AnswerStore
from tests.aws import Aws
from tests.cache_admin.conftest import login

LIST = "/admin/cache_admin/topic/"


def fill_in(policy: WaitPolicy, **changes: Any) -> dict[str, Any]:
    """What a browser sends for a topic with one language and no documents."""
    return {
        "name": "faq",
        "title": "Questions",
        "enabled": "on",
        "instructions": "Answer briefly.",
        "model_id": "local.extractive-v1",
        "max_tokens": "400",
        "temperature": "0.2",
        "sharing": "everyone",
        "ttl_hours": "24",
        "keep_days": "90",
        "asks_per_caller": 60,
        "asks_per_minute": 0,
        "verify_days": 0,
        "languages-TOTAL_FORMS": "1",
        "languages-INITIAL_FORMS": "0",
        "languages-0-language": "en-US",
        "languages-0-wait_policy": str(policy.pk),
        "languages-0-position": "0",
        "documents-TOTAL_FORMS": "0",
        "documents-INITIAL_FORMS": "0",
        **changes,
    }


def fill_in_again(topic: Topic, **changes: Any) -> dict[str, Any]:
    """What a browser sends for a topic that was opened and is saved."""
    row = topic.languages.get()
    known = {"languages-INITIAL_FORMS": "1", "languages-0-id": str(row.pk), "languages-0-topic": str(topic.pk)}
    documents = list(topic.documents.all())
    known |= {"documents-TOTAL_FORMS": str(len(documents)), "documents-INITIAL_FORMS": str(len(documents))}
    for number, document in enumerate(documents):
        known |= {f"documents-{number}-id": str(document.pk), f"documents-{number}-topic": str(topic.pk)}
    same = {
        "title": topic.title,
        "max_tokens": "600",
        "ttl_hours": "168",
        "asks_per_caller": 60,
        "asks_per_minute": 0,
        "verify_days": 0,
        "temperature": "0.20",
    }
    return fill_in(row.wait_policy, **{**known, **same, **changes})


def upload(name: str = "hours.txt", content: bytes = b"We are open on Sunday between ten and four.") -> dict[str, Any]:
    file = SimpleUploadedFile(name, content)
    return {"documents-TOTAL_FORMS": "1", "documents-0-file": file, "documents-0-title": ""}


def page_of(topic: Topic) -> str:
    return f"{LIST}{topic.pk}/change/"


def test_a_saved_topic_is_published(supervisor: Client, store: AnswerStore, policy: WaitPolicy) -> None:
    response = supervisor.post(f"{LIST}add/", fill_in(policy))
    assert (response.status_code, response["Location"]) == (302, LIST)
    item = store.read_topic("faq")
    assert item is not None
    assert (item.revision, item.instructions, item.ttl_seconds, item.temperature) == (
        1,
        "Answer briefly.",
        86_400,
        "0.2",
    )
    assert item.languages()["en-US"].prompts[0].text == "One moment please, I am looking that up."
    row = Topic.objects.get()
    assert (row.revision, row.mirrored_version, row.published_at is not None) == (1, 1, True)


def test_an_uploaded_document_is_published_with_its_text(
    supervisor: Client, store: AnswerStore, policy: WaitPolicy
) -> None:
    supervisor.post(f"{LIST}add/", fill_in(policy, **upload()))
    document, item = SourceDocument.objects.get(), store.read_topic("faq")
    assert item is not None
    assert item.documents == (f"{document.sha256} hours",)
    with default_storage.open(document_text_key(document.sha256)) as text:
        assert text.read() == b"We are open on Sunday between ten and four."
    assert (document.words, document.kind, document.uploaded_by.username) == (9, "txt", "ada")  # type: ignore[union-attr]
    with document.file.open() as original:
        assert original.read() == b"We are open on Sunday between ten and four."


def test_a_document_that_cannot_be_read_is_an_error_at_its_field(
    supervisor: Client, store: AnswerStore, policy: WaitPolicy
) -> None:
    response = supervisor.post(f"{LIST}add/", fill_in(policy, **upload("scan.pdf", b"%PDF-1.4 rubbish")))
    assert response.status_code == 200
    assert "scan.pdf: the PDF is damaged and cannot be read." in response.content.decode()
    assert (store.read_topic("faq"), Topic.objects.count()) == (None, 0)


def test_a_document_with_the_text_of_another_is_refused(supervisor: Client, topic: Topic) -> None:
    supervisor.post(page_of(topic), fill_in_again(topic, **upload()))
    more = upload("copy.md")
    again = fill_in_again(topic, **{"documents-TOTAL_FORMS": "2", "documents-1-file": more["documents-0-file"]})
    response = supervisor.post(page_of(topic), again)
    assert "This is the same text as “hours”." in response.content.decode()


def test_saving_without_a_change_keeps_earlier_answers(supervisor: Client, store: AnswerStore, topic: Topic) -> None:
    supervisor.post(page_of(topic), fill_in_again(topic, **upload()), follow=True)
    before = store.read_topic("faq")
    response = supervisor.post(page_of(topic), fill_in_again(topic, title="Another title"), follow=True)
    after = store.read_topic("faq")
    assert before is not None
    assert after is not None
    assert (after.revision, after.documents, after.title) == (before.revision, before.documents, "Another title")
    assert "Earlier answers" not in response.content.decode()


def test_other_instructions_make_earlier_answers_untrustworthy(
    supervisor: Client, store: AnswerStore, topic: Topic
) -> None:
    response = supervisor.post(page_of(topic), fill_in_again(topic, instructions="Answer at length."), follow=True)
    item = store.read_topic("faq")
    assert item is not None
    assert (item.revision, Topic.objects.get().revision) == (2, 2)
    assert "Earlier answers of this topic are not given to callers any more." in response.content.decode()


def test_a_removed_document_is_not_read_from_any_more(supervisor: Client, store: AnswerStore, topic: Topic) -> None:
    supervisor.post(page_of(topic), fill_in_again(topic, **upload()))
    supervisor.post(page_of(topic), fill_in_again(topic, **{"documents-0-DELETE": "on"}))
    item = store.read_topic("faq")
    assert item is not None
    assert (item.documents, item.revision, SourceDocument.objects.count()) == ((), 3, 0)


def test_new_documents_stand_after_old_ones_also_at_the_next_save(
    supervisor: Client, store: AnswerStore, topic: Topic
) -> None:
    supervisor.post(page_of(topic), fill_in_again(topic, **upload()))
    SourceDocument.objects.update(position=3)
    second = SimpleUploadedFile("prices.md", b"A lamp costs ten euros.")
    supervisor.post(page_of(topic), fill_in_again(topic, **{"documents-TOTAL_FORMS": "2", "documents-1-file": second}))
    published = store.read_topic("faq")
    supervisor.post(page_of(topic), fill_in_again(topic))
    assert published is not None
    assert [entry.partition(" ")[2] for entry in published.documents] == ["hours", "prices"]
    again = store.read_topic("faq")
    assert again is not None
    assert (again.documents, again.revision) == (published.documents, published.revision)


def test_when_dynamodb_does_not_serve_the_form_comes_back_and_nothing_is_half_done(
    supervisor: Client, topic: Topic, site: Aws
) -> None:
    site.dynamodb.delete_table(TableName=site.table)
    response = supervisor.post(page_of(topic), fill_in_again(topic, title="A better title", **upload()))
    page = response.content.decode()
    assert response.status_code == 200
    assert "DynamoDB does not serve at the moment, so nothing was saved. Try again. Choose the files again." in page
    assert 'value="A better title"' in page
    assert (Topic.objects.get().title, SourceDocument.objects.count()) == ("Questions and answers", 0)


def test_when_s3_does_not_serve_nothing_is_published(
    supervisor: Client, topic: Topic, store: AnswerStore, settings: Any
) -> None:
    options = {**settings.STORAGES["default"]["OPTIONS"], "bucket_name": "there-is-no-such-bucket"}
    settings.STORAGES = {**settings.STORAGES, "default": {**settings.STORAGES["default"], "OPTIONS": options}}
    response = supervisor.post(page_of(topic), fill_in_again(topic, title="A better title", **upload()))
    assert "S3 does not serve" in response.content.decode()
    item = store.read_topic("faq")
    assert item is not None
    assert item.title == "Questions and answers"


@pytest.mark.parametrize(
    ("field", "value", "fault"),
    [
        ("name", "Store FAQ", "lower-case letters"),
        ("languages-0-language", "english", "en-US or de-DE"),
        ("guardrail", "gr8", "identifier:version"),
        ("temperature", "1.5", "less than or equal to 1"),
        ("ttl_hours", "0", "greater than or equal to 1"),
        ("instructions", "", "This field is required"),
    ],
)
def test_a_wrong_setting_is_an_error_at_its_field(
    supervisor: Client, policy: WaitPolicy, site: Aws, field: str, value: str, fault: str
) -> None:
    response = supervisor.post(f"{LIST}add/", fill_in(policy, **{field: value}))
    assert response.status_code == 200
    assert fault in response.content.decode()
    assert Topic.objects.count() == 0


def test_a_topic_without_a_language_is_refused(supervisor: Client, policy: WaitPolicy, site: Aws) -> None:
    response = supervisor.post(f"{LIST}add/", fill_in(policy, **{"languages-TOTAL_FORMS": "0"}))
    assert "Please submit at least 1 form." in response.content.decode()


def test_the_name_is_fixed_once_saved(supervisor: Client, topic: Topic) -> None:
    supervisor.post(page_of(topic), fill_in_again(topic, name="other"))
    assert Topic.objects.get().name == "faq"


def test_a_topic_is_switched_off_rather_than_deleted(supervisor: Client, topic: Topic, store: AnswerStore) -> None:
    assert supervisor.get(f"{LIST}{topic.pk}/delete/").status_code == 403
    known = fill_in_again(topic)
    del known["enabled"]
    supervisor.post(page_of(topic), known)
    item = store.read_topic("faq")
    assert item is not None
    assert not item.enabled


def test_all_answers_are_invalidated_after_a_question(supervisor: Client, topic: Topic, store: AnswerStore) -> None:
    wish = {"action": "invalidate_selected", "_selected_action": str(topic.pk)}
    assert "Invalidate all answers?" in supervisor.post(LIST, wish).content.decode()
    assert Topic.objects.get().revision == 1
    supervisor.post(LIST, {**wish, "confirmed": "yes"})
    item = store.read_topic("faq")
    assert item is not None
    assert (item.revision, Topic.objects.get().revision) == (2, 2)


def test_a_topic_can_be_published_again(supervisor: Client, topic: Topic, store: AnswerStore) -> None:
    Topic.objects.update(title="Changed behind the admin's back")
    response = supervisor.post(LIST, {"action": "publish_selected", "_selected_action": str(topic.pk)}, follow=True)
    item = store.read_topic("faq")
    assert item is not None
    assert item.title == "Changed behind the admin's back"
    assert "1 topic published." in response.content.decode()


def test_whoever_may_not_publish_may_not_save(client: Client, topic: Topic) -> None:
    login(client, "view_topic", "change_topic")
    assert client.get(page_of(topic)).status_code == 200
    assert client.post(page_of(topic), fill_in_again(topic)).status_code == 403


def test_whoever_may_save_saves_languages_and_documents_too(client: Client, topic: Topic, store: AnswerStore) -> None:
    login(client, "view_topic", "change_topic", "publish_topic")
    assert client.post(page_of(topic), fill_in_again(topic, **upload())).status_code == 302
    item = store.read_topic("faq")
    assert item is not None
    assert (len(item.documents), list(item.languages())) == (1, ["en-US"])


def test_whoever_may_only_look_is_offered_no_action(client: Client, topic: Topic) -> None:
    login(client, "view_topic")
    page = client.get(LIST).content.decode()
    assert "invalidate_selected" not in page
    wish = {"action": "invalidate_selected", "_selected_action": str(topic.pk), "confirmed": "yes"}
    client.post(LIST, wish)
    assert Topic.objects.get().revision == 1
