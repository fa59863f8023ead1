"""Coming in by OpenID Connect, with a real provider over HTTP."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client, override_settings

pytest.importorskip("requests", reason="allauth speaks to providers through it: install django-allauth[socialaccount]")

from allauth.socialaccount.providers import registry

from cache_admin.people.single_sign_on import apply_groups
from cache_admin.roles import ADMINISTRATORS, REVIEWERS, SUPERVISORS
from tests.oidc import Provider, run_provider


class _Stay(urllib.request.HTTPRedirectHandler):
    """A browser that shows where it was sent."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


@pytest.fixture
def provider(db: None, settings: Any) -> Iterator[Provider]:
    """The provider, and this site configured for it as its settings would be."""
    with run_provider() as running:
        app = {"provider_id": "oidc", "name": "Example Ltd.", "client_id": "us", "secret": "our-secret",
               "settings": {"server_url": running.url, "oauth_pkce_enabled": True}}  # fmt: skip
        settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [app]}}
        settings.SIGN_IN_GROUPS = [("leads", SUPERVISORS), ("bosses", ADMINISTRATORS)]
        apps = [*settings.INSTALLED_APPS, "allauth.socialaccount.providers.openid_connect"]
        with override_settings(INSTALLED_APPS=apps):
            _forget_providers()
            yield running
        _forget_providers()


def _forget_providers() -> None:
    """The registry reads the installed apps once in a process."""
    registry.loaded = False
    registry.provider_map.clear()


def begin(client: Client, **query: str) -> str:
    """Where the button leads."""
    return str(client.get("/account/company/openid_connect/", query)["Location"])


def visit(url: str) -> str:
    """Signs in at the provider; where it sends the browser back to."""
    opener = urllib.request.build_opener(_Stay)
    try:
        opener.open(url, timeout=5)
    except urllib.error.HTTPError as reply:
        return str(reply.headers["Location"]).removeprefix("http://testserver")
    raise AssertionError("it did not send anybody back")


def come_in(client: Client, **query: str) -> Any:
    return client.get(visit(begin(client, **query)))


def test_somebody_new_comes_in_with_the_groups_that_follow_from_the_provider_s(
    client: Client, provider: Provider
) -> None:
    provider.person = {"sub": "7", "preferred_username": "eve", "email": "eve@example.com", "groups": ["leads", "x"]}
    assert come_in(client, next="/admin/password_change/")["Location"] == "/admin/password_change/"
    eve = User.objects.get(username="eve")
    assert [group.name for group in eve.groups.all()] == [SUPERVISORS]
    assert (eve.is_staff, eve.is_superuser, eve.has_usable_password()) == (True, False, False)
    assert client.get("/admin/cache_admin/topic/").status_code == 200


def test_somebody_new_without_a_mapped_group_has_no_rights(client: Client, provider: Provider) -> None:
    provider.person = {"sub": "8", "preferred_username": "sam", "groups": ["others"]}
    come_in(client)
    assert not User.objects.get(username="sam").is_staff
    page = client.get("/admin/", follow=True)
    assert (page.status_code, "no rights here yet" in page.content.decode()) == (403, True)


def test_groups_follow_the_provider_at_each_sign_in_and_others_stay(client: Client, provider: Provider) -> None:
    provider.person = {"sub": "7", "preferred_username": "eve", "groups": ["leads", "bosses"]}
    come_in(client)
    eve = User.objects.get(username="eve")
    eve.groups.add(Group.objects.get(name=REVIEWERS))
    provider.person["groups"] = ["leads"]
    come_in(Client())
    assert {group.name for group in eve.groups.all()} == {SUPERVISORS, REVIEWERS}
    provider.person["groups"] = []
    eve.groups.remove(Group.objects.get(name=REVIEWERS))
    come_in(Client())
    assert not User.objects.get(username="eve").is_staff


def test_a_name_that_is_taken_here_is_not_taken_over(client: Client, provider: Provider) -> None:
    local = User.objects.create_superuser("ada", email="ada@example.com", password="x")
    provider.person = {"sub": "9", "preferred_username": "ada", "email": "ada@example.com", "email_verified": True}
    come_in(client)
    [other] = User.objects.exclude(pk=local.pk)
    assert (client.session["_auth_user_id"], other.is_superuser) == (str(other.pk), False)


def test_the_secret_and_a_proof_key_go_with_the_code(client: Client, provider: Provider) -> None:
    url = begin(client)
    provider.client = ("us", "another-secret")
    page = client.get(visit(url))
    assert provider.asked[0]["code_challenge_method"] == "S256"
    assert "did not work" in page.content.decode()
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("twist", [{"aud": "somebody-else"}, {"iss": "https://evil.example"}, {"exp": 1}])
def test_a_token_for_somebody_else_or_of_somebody_else_or_of_yesterday_is_refused(
    client: Client, provider: Provider, twist: dict[str, Any]
) -> None:
    provider.twist = twist
    assert "did not work" in come_in(client).content.decode()
    assert not User.objects.exists()


def test_an_answer_that_this_browser_did_not_ask_for_is_refused(client: Client, provider: Provider) -> None:
    back = visit(begin(client))
    assert "did not work" in Client().get(back).content.decode()
    assert not User.objects.exists()


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_no_other_site_can_make_a_browser_begin(client: Client, provider: Provider, site: str) -> None:
    reply = client.get("/account/company/openid_connect/", headers={"sec-fetch-site": site})
    assert reply["Location"] == "/admin/login/"


def test_the_second_factor_is_the_provider_s_business(client: Client, provider: Provider, settings: Any) -> None:
    settings.REQUIRE_SECOND_FACTOR = "everyone"
    provider.person = {"sub": "7", "preferred_username": "eve", "groups": ["leads"]}
    come_in(client)
    assert client.get("/admin/cache_admin/topic/").status_code == 200


def test_the_sign_in_page_offers_the_provider_and_still_a_local_account(client: Client, provider: Provider) -> None:
    page = client.get("/admin/login/?next=/admin/auth/").content.decode()
    assert 'href="/account/company/openid_connect/?next=%2Fadmin%2Fauth%2F"' in page
    assert "Log in with Example Ltd." in page
    assert 'name="password"' in page


def test_a_provider_that_is_down_leaves_the_local_way_open(client: Client, provider: Provider, settings: Any) -> None:
    settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]["settings"]["server_url"] = "http://127.0.0.1:9"
    assert "did not work" in client.get("/account/company/openid_connect/", follow=True).content.decode()
    User.objects.create_superuser("ada", password="a long enough password")
    assert client.post("/admin/login/", {"username": "ada", "password": "a long enough password"}).status_code == 302


def test_a_superuser_stays_staff_whatever_the_provider_says(db: None, settings: Any) -> None:
    settings.SIGN_IN_GROUPS = [("leads", SUPERVISORS)]
    boss = User.objects.create_superuser("boss")
    apply_groups(boss, set())
    assert User.objects.get(username="boss").is_staff
