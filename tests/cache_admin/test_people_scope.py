"""People who are restricted to topics find nothing of others, by whatever way a row is looked for."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, User
from django.db import IntegrityError, transaction
from django.utils import timezone

from cache_admin.models import CachedAnswer, Topic, TopicLanguage, TopicScope, WaitPolicy
from cache_admin.models.scoped import ScopedManager
from cache_admin.people.scope import everything, seen_by, visible_topics

# Models that are about no topic, and why nothing of a topic is found through them
OPEN = {
    "AuditEntry": "its page limits it: the chain must find its own end",
    "AuditHead": "of the chain",
    "AuditIntent": "nobody's to see",
    "DriftedRow": "the page is refused to who is restricted",
    "ModelLimit": "about models",
    "ParkedLook": "a time",
    "PhoneCall": "each person's own",
    "PhoneEvent": "each person's own",
    "PhoneSign": "each person's own",
    "Preferences": "each person's own",
    "Reconciliation": "the page is refused to who is restricted",
    "TopicScope": "with groups and people, refused to who is restricted",
    "WaitPolicyVersion": "found by its policy",
    "WaitPrompt": "found by its policy",
}


def restrict(user: User, *names: str) -> User:
    """The person with these topics only."""
    TopicScope.objects.create(user=user).topics.set(Topic.objects.filter(name__in=names))
    return User.objects.get(pk=user.pk)


def make_topics(*names: str) -> None:
    for name in names:
        Topic.objects.create(name=name, title=name, instructions="Answer.", model_id="m")


@pytest.fixture
def person(db: None) -> User:
    make_topics("a", "b", "c")
    return User.objects.create_user("p", password="x", is_staff=True)


def test_who_is_not_restricted_sees_all_topics(person: User) -> None:
    assert visible_topics(person) is None
    with seen_by(person):
        assert Topic.objects.count() == 3


def test_a_person_sees_the_topics_of_all_their_restrictions(person: User) -> None:
    for name in ("a", "b"):
        group = Group.objects.create(name=name)
        TopicScope.objects.create(group=group).topics.set(Topic.objects.filter(name=name))
        person.groups.add(group)
    person.groups.add(Group.objects.get(name="Supervisors"))  # which restricts nothing, and opens nothing
    assert visible_topics(person) == frozenset({"a", "b"})


def test_a_restriction_whose_topics_are_gone_opens_nothing(person: User) -> None:
    person = restrict(person, "a")
    Topic.objects.filter(name="a").delete()
    assert visible_topics(person) == frozenset()
    with seen_by(person):
        assert not Topic.objects.exists()


def test_a_superuser_is_never_restricted(person: User) -> None:
    person.is_superuser = True
    person.save()
    assert visible_topics(restrict(person, "a")) is None


def test_a_restriction_is_of_one_group_or_one_person(person: User) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        TopicScope.objects.create()
    with pytest.raises(IntegrityError), transaction.atomic():
        TopicScope.objects.create(user=person, group=Group.objects.create(name="g"))


def test_rows_are_found_by_no_way_outside_the_topics(person: User) -> None:
    for name in ("a", "b"):
        CachedAnswer.objects.create(key=name, topic=name, language="en-US", scope="everyone", question=name,
                                    state="READY", asked_at=timezone.now(), changed_at=timezone.now())  # fmt: skip
    written_before = CachedAnswer.objects.filter(state="READY")
    with seen_by(restrict(person, "a")):
        assert [row.topic for row in CachedAnswer.objects.filter(state="READY")] == ["a"]
        assert [row.topic for row in written_before.all()] == ["a"]
        assert CachedAnswer.objects.in_bulk(["b"], field_name="key") == {}
        assert CachedAnswer.objects.filter(key="b").first() is None
        with everything():
            assert CachedAnswer.objects.count() == 2
    assert CachedAnswer.objects.count() == 2


def test_a_wait_policy_is_seen_when_a_topic_of_ones_own_uses_it_or_none_does(person: User) -> None:
    for name in ("a", "b"):
        policy = WaitPolicy.objects.create(name=name)
        for language in ("en-US", "de-DE"):
            TopicLanguage.objects.create(topic=Topic.objects.get(name=name), language=language, wait_policy=policy)
    WaitPolicy.objects.create(name="unused")
    with seen_by(restrict(person, "a")):
        assert [policy.name for policy in WaitPolicy.objects.order_by("name")] == ["a", "unused"]


def test_each_model_is_limited_or_says_why_not() -> None:
    models = [model for model in apps.get_app_config("cache_admin").get_models() if not model._meta.auto_created]
    limited = {model.__name__ for model in models if isinstance(model._default_manager, ScopedManager)}
    assert {model.__name__ for model in models} - limited == set(OPEN)
