from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from cache_admin.models import Topic, WaitPolicy, WaitPolicyVersion
from cache_admin.services.policy_versions import (
    Change,
    UnfitVersionError,
    find_changes,
    keep_version,
    read_content,
    restore_version,
)
from connectgenai.wire.store import AnswerStore, StoreError
from tests.aws import Aws
from tests.cache_admin.conftest import NOW


def save(policy: WaitPolicy, **changes: object) -> WaitPolicyVersion:
    for name, value in changes.items():
        setattr(policy, name, value)
    policy.save()
    version = keep_version(WaitPolicy.objects.get(), user=None, now=NOW)
    assert version is not None
    return version


def test_each_save_that_changes_something_is_a_version_of_its_own(policy: WaitPolicy) -> None:
    ada = User.objects.create_user("ada")
    first = keep_version(policy, user=ada, now=NOW)
    assert keep_version(policy, user=ada, now=NOW + timedelta(hours=1)) is None
    second = save(policy, max_wait_seconds=45.0)
    assert first is not None
    assert (first.number, first.saved_by, first.saved_at) == (1, ada, NOW)
    assert (second.number, second.saved_by) == (2, None)


def test_what_changed_is_said_in_the_words_of_the_form(policy: WaitPolicy) -> None:
    before = save(policy, max_wait_seconds=90.0).content
    policy.prompts.create(position=1, audio="sounds/abc123/chime.wav")
    after = save(policy, max_wait_seconds=45.5, say_estimate=True).content
    assert list(find_changes(before, after)) == [
        Change("longest wait", "90", "45.5"),
        Change("say the usual wait", "no", "yes"),
        Change("prompt 2", "-", "chime.wav"),
    ]
    assert list(find_changes(after, before))[-1] == Change("prompt 2", "chime.wav", "-")
    assert list(find_changes(after, after)) == []


def test_a_version_older_than_a_field_takes_its_default() -> None:
    policy, prompts = read_content({"name": "old", "hold_seconds": 1.0, "forgotten": 5, "prompts": [{"text": "Hi."}]})
    assert (policy.hold_seconds, policy.interval_seconds, prompts[0].text) == (1.0, 8.0, "Hi.")


def test_a_version_had_back_is_published_saved_and_a_new_version(
    store: AnswerStore, topic: Topic, policy: WaitPolicy
) -> None:
    first = save(policy, max_wait_seconds=60.0)
    policy.prompts.all().delete()
    policy.prompts.create(text="Something else entirely.")
    save(policy, name="renamed", max_wait_seconds=45.0)
    assert restore_version(first, store=store, user=None, now=NOW) == 1
    item = store.read_topic("faq")
    assert item is not None
    published = item.languages()["en-US"]
    assert (published.max_wait, published.prompts[0].text) == (60.0, "One moment please, I am looking that up.")
    saved = WaitPolicy.objects.get()
    assert (saved.name, saved.max_wait_seconds) == ("renamed", 60.0)
    assert [prompt.text for prompt in saved.prompts.all()] == ["One moment please, I am looking that up."]
    latest = WaitPolicyVersion.objects.first()
    assert latest is not None
    assert (latest.number, latest.note) == (3, "as version 1 again")


def test_a_version_that_breaks_todays_rules_is_not_had_back(store: AnswerStore, policy: WaitPolicy) -> None:
    bad = save(policy, hold_seconds=7.5)
    save(policy, hold_seconds=2.0)
    with pytest.raises(UnfitVersionError, match="Hold must be 0 to 7 seconds"):
        restore_version(bad, store=store, user=None, now=NOW)
    assert WaitPolicy.objects.get().hold_seconds == 2.0


def test_when_dynamodb_does_not_serve_nothing_is_had_back(
    site: Aws, store: AnswerStore, topic: Topic, policy: WaitPolicy
) -> None:
    first = save(policy, max_wait_seconds=60.0)
    save(policy, max_wait_seconds=45.0)
    site.dynamodb.delete_table(TableName=site.table)
    with pytest.raises(StoreError):
        restore_version(first, store=store, user=None, now=NOW)
    assert WaitPolicy.objects.get().max_wait_seconds == 45.0
