"""Every address of the site, by every role: generated from the list of addresses, so that a new one must say whose it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest
from django.contrib.auth.models import AnonymousUser, Group, User
from django.test import Client
from django.urls import reverse

from cache_admin.roles import ROLES
from tests.aws import Aws
from tests.cache_admin.addresses import Address, list_addresses
from tests.cache_admin.test_people_leaks import fill_in
from tests.cache_admin.world import Keys, make_rest, make_world

NOBODY, SUPERUSER = "nobody", "superuser"
ALL, STAFF, NEVER = "everybody", "staff", "never"
Right = str | frozenset[str]  # ALL, STAFF, NEVER, a right, or rights of which one is enough
VIEW, CHANGE, WARM = (f"cache_admin.{name}_cachedanswer" for name in ("view", "change", "prewarm"))
IMPORT, INCIDENT, PHONE = "cache_admin.import_warmbatch", "cache_admin.switch_incident", "cache_admin.add_phonecall"
PUBLISH, VIEW_TOPIC, VIEW_BATCH = "cache_admin.publish_topic", "cache_admin.view_topic", "cache_admin.view_warmbatch"
VIEW_CALL, VIEW_AUDIT, VIEW_MISSED = (f"cache_admin.view_{m}" for m in ("call", "auditentry", "missedquestion"))
VIEW_DRIFT, RUN_DRIFT = "cache_admin.view_reconciliation", "cache_admin.run_reconciliation"
VIEW_POLICY, CHANGE_POLICY = "cache_admin.view_waitpolicy", "cache_admin.change_waitpolicy"
VIEW_PARKED, VIEW_INCIDENT = "cache_admin.view_parkedmessage", frozenset({"cache_admin.view_incident", INCIDENT})
APPROVE, WORK = "cache_admin.approve_reviewitem", "cache_admin.change_reviewitem"
VIEW_REVIEW, VIEW_APPROVED = "cache_admin.view_reviewitem", "cache_admin.view_approvedanswer"
CARE = frozenset({"cache_admin.change_approvedanswer", APPROVE})
# Pages of our own: name without "admin:" and "cache_admin_" -> who may GET, and who may POST where that is not the same
OWN: Final[dict[str, Right | tuple[Right, Right]]] = {
    "login": ALL, "jsi18n": STAFF, "autocomplete": NEVER, "view_on_site": STAFF, "app_list": STAFF,
    "index": STAFF, "now": STAFF, "hours": STAFF, "preferences": STAFF, "password_change": STAFF, "password_change_done": STAFF,
    "cachedanswer_invalidate": "cache_admin.invalidate_cachedanswer", "cachedanswer_prewarm": WARM, "cachedanswer_voice": VIEW,
    "cachedanswer_compare": (VIEW, CHANGE), "cachedanswer_export": VIEW, "cachedanswer_anew": (VIEW, WARM), "call_export": VIEW_CALL,
    "call_sound": VIEW_CALL, "auditentry_export": VIEW_AUDIT, "auditentry_undo": STAFF, "reconciliation_compare": RUN_DRIFT,
    "reconciliation_progress": VIEW_DRIFT, "uploadedflow_export": VIEW_TOPIC, "incident_voice": INCIDENT, "incident_off": INCIDENT,
    "incident_prolong": INCIDENT, "incident_again": INCIDENT, "incident_add": INCIDENT, "missedquestion_export": VIEW_MISSED,
    "missedquestion_changelist": (VIEW_MISSED, WARM), "parkedmessage_replay": "cache_admin.replay_parkedmessage",
    "parkedmessage_discard": "cache_admin.discard_parkedmessage", "parkedmessage_look": VIEW_PARKED,
    "phonecall_changelist": PHONE, "phone_begin": PHONE, "phone_sound": PHONE, "phone_events": PHONE, "phone_signs": PHONE,
    "phone_hang_up": PHONE, "topic_draft": VIEW, "topic_try": (VIEW_TOPIC, WARM), "topic_rewarm": WARM,
    "topic_document": (VIEW_TOPIC, PUBLISH), "topic_document_file": VIEW_TOPIC, "topic_add": PUBLISH, "waitpolicy_preview": VIEW_POLICY,
    "waitpolicy_sound": VIEW_POLICY, "waitpolicy_restore": CHANGE_POLICY, "warmbatch_type": WARM, "warmbatch_warm": WARM,
    "warmbatch_answers": IMPORT, "warmbatch_progress": VIEW_BATCH, "warmbatch_choose": WARM, "warmbatch_steer": WARM,
    "auth_user_password_change": "auth.change_user", "reviewitem_approve": APPROVE, "reviewitem_take_in": APPROVE,
    "reviewitem_change": (VIEW_REVIEW, frozenset({WORK, APPROVE})), "approvedanswer_stale": VIEW_APPROVED,
    "approvedanswer_care": CARE, "approvedanswer_change": VIEW_APPROVED, "warmbatch_change": VIEW_BATCH,
    "uploadedflow_change": ("cache_admin.view_uploadedflow", NEVER), "incident_change": VIEW_INCIDENT,
}  # fmt: skip
# What nobody may change by Django's own forms, since it has pages of its own, or is a record
RECORDS: Final = frozenset(
    {
        "approvedanswer",
        "auditentry",
        "call",
        "incident",
        "parkedmessage",
        "reconciliation",
        "reviewitem",
        "taskresult",
        "warmbatch",
    }
)
UNDELETABLE: Final = RECORDS | {"cachedanswer", "topic", "modellimit"}
# What a form must say for its page to decide something
WISHES: Final = {
    "cachedanswer_anew": {"do": "generate"},
    "topic_try": {"do": "ask", "question": "Why?", "language": "en-US"},
    "reviewitem_change": {"do": "approve", "text": "Because.", "seen_version": "1", "shared_version": "2"},
}
# These only lead on, to a page with a door of its own; a form that is sent there has no meaning
SIGNPOSTS: Final = frozenset({"approvedanswer_change"})
OUTSIDE: Final = frozenset({"admin:logout"})  # it ends the session in which the walk is made


def strip(name: str) -> str:
    """The name as the tables have it."""
    return name.removeprefix("admin:").removeprefix("cache_admin_")


def whose(address: Address) -> tuple[Right, Right]:
    """Who may look at it, and who may send a form there."""
    own = OWN.get(strip(address.name))
    if own is not None:
        return own if isinstance(own, tuple) else (own, own)
    app, _, rest = address.name.removeprefix("admin:").replace("django_celery_results", "results").replace(
        "cache_admin", "cache-admin"
    ).partition("_")  # fmt: skip
    model, _, page = rest.partition("_")
    app = {"cache-admin": "cache_admin", "results": "django_celery_results"}.get(app, app)
    return _by_default(f"{app}.%s_{model}", model, page)


def _by_default(right: str, model: str, page: str) -> tuple[Right, Right]:
    """Django's own pages go by Django's own rights."""
    looks: Right = VIEW_INCIDENT if model == "incident" else frozenset({right % "view", right % "change"})
    closed = model in RECORDS
    pages: dict[str, tuple[Right, Right]] = {
        "changelist": (looks, looks),
        "history": (looks, looks),
        "change": (looks, NEVER if closed else right % "change"),
        "add": (NEVER, NEVER) if closed or model == "cachedanswer" else (right % "add", right % "add"),
        "delete": (NEVER, NEVER) if model in UNDELETABLE else (right % "delete", right % "delete"),
    }
    if page not in pages:
        raise AssertionError(f"{model}_{page} is new: say in OWN who may see it")
    return pages[page]


def list_pages() -> list[Address]:
    return [a for a in list_addresses() if a.name.startswith("admin:") and a.name not in OUTSIDE]


def may(person: User | AnonymousUser, right: Right) -> bool:
    if right in (ALL, NEVER):
        return right == ALL
    if right == STAFF:
        return bool(person.is_staff)
    return any(person.has_perm(name) for name in ([right] if isinstance(right, str) else right))


@pytest.fixture
def keys(site: Aws) -> Keys:
    """A row of everything, with a mark that no page should need."""
    return {**make_world("faq", "mark"), **make_rest()}


def enter(role: str) -> tuple[Client, Any]:
    client = Client()
    if role == "anonymous":
        return client, AnonymousUser()
    person = User.objects.create_user(role, password="x", is_staff=True, is_superuser=role == SUPERUSER)
    person.groups.set(Group.objects.filter(name=role))
    client.force_login(person)
    return client, person


def walk(keys: Keys) -> Iterator[tuple[Address, str]]:
    for address in list_pages():
        for arguments in fill_in(address, keys):
            yield address, reverse(address.name, args=arguments)


def is_open(response: Any) -> bool:
    """Whether somebody got further than the door. A page that is not there, or not by this method, is behind it."""
    # 503: the page went on to DynamoDB, which has nothing of this world
    assert response.status_code < 500 or response.status_code == 503, response.request["PATH_INFO"]
    at_the_door = response.status_code == 302 and response["Location"].startswith("/admin/login/")
    return response.status_code != 403 and not at_the_door


@pytest.mark.parametrize("role", ["anonymous", NOBODY, *ROLES, SUPERUSER])
def test_every_page_opens_for_those_whose_it_is_and_for_nobody_else(keys: Keys, role: str) -> None:
    client, person = enter(role)
    wrong = []
    for address, url in walk(keys):
        for method, right in zip(("get", "post"), whose(address), strict=True):
            if method == "post" and strip(address.name) in SIGNPOSTS:
                continue
            response = getattr(client, method)(url, WISHES.get(strip(address.name), {}))
            # where nothing is found, or the method is none of the page's, the door may stay shut or not
            if is_open(response) is not may(person, right) and response.status_code not in (404, 405):
                wrong.append(f"{method} {address.name}: {response.status_code}, although only for {right}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("method", ["head", "put", "patch", "delete", "options", "trace"])
def test_no_other_method_opens_anything_to_who_is_not_in(keys: Keys, method: str) -> None:
    client, _ = enter("anonymous")
    for address, url in walk(keys):
        if address.name != "admin:login":
            response = getattr(client, method)(url)
            assert not is_open(response) or response.status_code in (404, 405), address
            assert len(response.content) < 200, address


def test_each_address_says_whose_it_is() -> None:
    assert [whose(address) for address in list_pages()]
    names = {strip(address.name) for address in list_pages()}
    assert set(OWN) - names == set()


@pytest.mark.parametrize("method", ["get", "post", "head", "put", "delete"])
def test_the_pages_around_signing_in_give_nobody_anything_without_an_account(db: None, method: str) -> None:
    client = Client()
    for address in list_addresses():
        if not address.name.startswith("admin:"):
            url = reverse(address.name, args=["company"] * len(address.parts))
            response = getattr(client, method)(url)
            assert response.status_code in (200, 302, 401, 404, 405), address
            assert "_auth_user_id" not in client.session, address
            if address.name.startswith("mfa_") or address.name == "account_reauthenticate":
                assert response.status_code == 302, address
