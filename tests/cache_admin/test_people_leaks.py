"""Who is restricted to one topic finds nothing of another, at any address of the site."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.cache import cache
from django.http import StreamingHttpResponse
from django.test import Client
from django.urls import reverse

from cache_admin.models import IncidentTopic, Topic, TopicScope, WarmBatch, WarmRow
from tests.aws import Aws
from tests.cache_admin.addresses import Address, list_addresses
from tests.cache_admin.world import Keys, make_world

MINE, THEIRS = "mine-3f9a", "theirs-7c1d"
ENDS = {"admin:logout"}


@pytest.fixture
def world(site: Aws) -> tuple[Keys, Keys]:
    """The own topic's rows and the other's."""
    cache.clear()
    return make_world("mine", MINE), make_world("theirs", THEIRS)


@pytest.fixture
def client(world: Any) -> Client:
    """Somebody with every right there is, for one topic."""
    person = User.objects.create_user("ada", password="x", is_staff=True)
    group = Group.objects.create(name="mine")
    group.permissions.set(Permission.objects.all())
    person.groups.add(group)
    TopicScope.objects.create(group=group).topics.add(Topic.objects.get(name="mine"))
    made = Client()
    made.force_login(person)
    return made


def fill_in(address: Address, keys: Keys) -> Iterator[list[str]]:
    """Each way to ask an address for the rows of a world."""
    model = next((name for name in sorted(keys, key=len, reverse=True) if f"_{name}_" in f"{address.name}_"), "topic")
    known = {"object_id": keys.get(model), "pk": keys.get(model), "id": 0, "version": 1, "number": 1, "app_label": "cache_admin",
             "content_type_id": 1, "call": "00000000-0000-0000-0000-000000000000", "key": "key", "deed": "deed"}  # fmt: skip
    if address.name.startswith("admin:cache_admin_topic_document"):
        for kind, name in (("current", "sourcedocument"), ("earlier", "earlierdocument")):
            yield [kind, str(keys[name])]
    elif address.parts == ("kind",):
        yield from ([kind] for kind in ("csv", "json"))
    elif set(address.parts) <= set(known):
        yield [str(known[part]) for part in address.parts]


def list_urls(keys: Keys) -> list[str]:
    return [
        reverse(address.name, args=arguments)
        for address in list_addresses()
        if address.name.startswith("admin:") and address.name not in ENDS
        for arguments in fill_in(address, keys)
    ]


def read(response: Any) -> str:
    if isinstance(response, StreamingHttpResponse):
        return b"".join(response.streaming_content).decode()  # type: ignore[arg-type]  # not an asynchronous one
    return str(response.content.decode(errors="replace")) + str(dict(response.headers))


def test_no_address_shows_anything_of_another_topic(client: Client, world: tuple[Keys, Keys]) -> None:
    shown = 0
    for keys in world:
        for url in list_urls(keys):
            text = read(client.get(url))
            assert THEIRS not in text, url
            shown += MINE in text
    assert shown > 25  # the walk does reach pages that show texts


def test_a_superuser_sees_both_at_the_same_addresses(client: Client, world: tuple[Keys, Keys]) -> None:
    client.force_login(User.objects.create_superuser("boss"))
    texts = [read(client.get(url)) for url in list_urls(world[1])]
    assert sum(THEIRS in text for text in texts) > 25


def test_asking_for_the_other_topic_by_name_or_number_finds_nothing(client: Client, world: tuple[Keys, Keys]) -> None:
    other = world[1]
    for url in (
        f"{reverse('admin:cache_admin_cachedanswer_invalidate')}?pk={other['cachedanswer']}",
        f"{reverse('admin:cache_admin_parkedmessage_discard')}?pk={other['parkedmessage']}",
        f"{reverse('admin:cache_admin_cachedanswer_changelist')}?topic=theirs",
        f"{reverse('admin:cache_admin_call_changelist')}?q={THEIRS}-contact",
        f"{reverse('admin:cache_admin_auditentry_changelist')}?topic=theirs",
        f"{reverse('admin:hours')}?topic=theirs",
        f"{reverse('admin:cache_admin_incident_add')}?topic=theirs&from={other['incident']}",
        f"{reverse('admin:cache_admin_uploadedflow_export')}?download=1&topic=theirs&mode=poll",
        f"{reverse('admin:cache_admin_phonecall_changelist')}?flow=uploaded:{other['uploadedflow']}&topic=theirs",
    ):
        text = read(client.get(url))
        assert f"{THEIRS} " not in text, url
        assert f">{THEIRS}" not in text, url


def test_no_form_reaches_the_other_topic(client: Client, world: tuple[Keys, Keys]) -> None:
    other = world[1]
    for address in list_addresses():
        if address.name in {*ENDS, "admin:login", "admin:preferences"} or not address.name.startswith("admin:"):
            continue
        for arguments in fill_in(address, other):
            wish = {"topic": "theirs", "topics": "theirs", "question": "Why?", "questions": "Why?", "language": "en-US",
                    "text": "words", "reason": "reason", "minutes": "60", "lasts": "60", "generate": other["cachedanswer"],
                    "pk": other["cachedanswer"], "_selected_action": other["cachedanswer"], "flow": "ours:poll", "post": "yes",
                    "speed": "1", "channel": "VOICE", "do": "cancel", "action": "invalidate_selected"}  # fmt: skip
            assert THEIRS not in read(client.post(reverse(address.name, args=arguments), wish)), address
    assert IncidentTopic.objects.filter(topic="theirs").values_list("state", flat=True).get() == "on"
    assert not WarmBatch.objects.exclude(pk__in=(world[0]["warmbatch"], other["warmbatch"])).exists()
    assert Topic.objects.get(name="theirs").title == f"{THEIRS} title"


def test_a_file_of_theirs_is_read_by_a_worker_as_they_may_see(client: Client, world: tuple[Keys, Keys]) -> None:
    from cache_admin.warming.batches import make_typed_batch
    from tests.cache_admin.conftest import NOW

    ada = User.objects.get(username="ada")
    batch = make_typed_batch(["Why?"], topic="theirs", language="en-US", name="n", by=ada, now=NOW)
    assert [row.verdict for row in WarmRow.objects.filter(batch=batch)] == ["invalid"]


def test_an_incident_of_both_topics_is_not_theirs_to_end(client: Client, world: tuple[Keys, Keys]) -> None:
    incident = world[0]["incident"]
    IncidentTopic.objects.filter(topic="theirs").update(incident=incident)
    assert "mine" in read(client.get(reverse("admin:cache_admin_incident_change", args=[incident])))
    for page in ("off", "prolong", "again"):
        assert client.post(reverse(f"admin:cache_admin_incident_{page}", args=[incident])).status_code == 403


def test_who_is_restricted_cannot_open_more_topics_to_anybody(client: Client, world: tuple[Keys, Keys]) -> None:
    assert client.get(reverse("admin:auth_group_changelist")).status_code == 403
    assert client.get(reverse("admin:auth_user_add")).status_code == 403
    assert client.get(reverse("admin:cache_admin_topic_add")).status_code == 403
