"""Coming in by SAML: our metadata, a signed assertion, and those that are not good."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from allauth.socialaccount.providers import registry
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client, override_settings

from cache_admin.roles import REVIEWERS
from tests.saml import NAME, SITE, SSO, Provider


class Browser(Client):
    """One that says which host it asks, as every browser does."""

    def __init__(self) -> None:
        super().__init__(HTTP_HOST="testserver")


@pytest.fixture
def client() -> Client:
    return Browser()


@pytest.fixture(scope="module")
def pair() -> tuple[str, str]:
    """A key takes a moment to make."""
    return Provider().pair


@pytest.fixture
def provider(db: None, settings: Any, tmp_path: Path, pair: tuple[str, str]) -> Iterator[Provider]:
    """The provider, and this site configured with its metadata in a file, as its settings would be."""
    made = Provider(pair=pair, attributes={"http://schemas.xmlsoap.org/claims/Group": ["checkers"]})
    (tmp_path / "idp.xml").write_text(made.metadata)
    advanced = {"want_assertion_signed": True, "want_name_id": True, "allow_single_label_domains": True}
    idp = {"entity_id": None, "metadata_url": f"file://{tmp_path / 'idp.xml'}"}
    app = {"provider_id": "saml", "name": "Example Ltd.", "client_id": "company",
           "settings": {"idp": idp, "advanced": advanced}}  # fmt: skip
    settings.SOCIALACCOUNT_PROVIDERS = {"saml": {"APPS": [app]}}
    settings.SIGN_IN_GROUPS = [("checkers", REVIEWERS)]
    cache.clear()
    with override_settings(INSTALLED_APPS=[*settings.INSTALLED_APPS, "allauth.socialaccount.providers.saml"]):
        _forget_providers()
        yield made
    _forget_providers()


def _forget_providers() -> None:
    """The registry reads the installed apps once in a process."""
    registry.loaded = False
    registry.provider_map.clear()


def come_in(client: Client, provider: Provider, **how: Any) -> Any:
    """From the button to the page after the provider's form; the provider's form comes without our cookies."""
    sent_to = str(client.get("/account/company/saml/")["Location"])
    reply = Browser().post("/account/saml/company/acs/", {"SAMLResponse": provider.respond(sent_to, **how)})
    client.cookies.update(reply.cookies)
    return client.get(reply["Location"])


def test_our_metadata_say_who_we_are_and_where_to_answer(client: Client, provider: Provider) -> None:
    page = client.get("/account/saml/company/metadata/")
    assert page["Content-Type"] == "text/xml"
    assert f'entityID="{SITE}/metadata/"' in page.content.decode()
    assert f'Location="{SITE}/acs/"' in page.content.decode()


def test_the_button_leads_to_the_provider_of_the_metadata(client: Client, provider: Provider) -> None:
    assert "Log in with Example Ltd." in client.get("/admin/login/").content.decode()
    assert client.get("/account/company/saml/")["Location"].startswith(f"{SSO}?SAMLRequest=")


def test_a_signed_assertion_lets_in_with_the_mapped_groups(client: Client, provider: Provider) -> None:
    come_in(client, provider)
    [person] = User.objects.all()
    assert ([group.name for group in person.groups.all()], person.is_staff) == ([REVIEWERS], True)
    assert client.get("/admin/cache_admin/topic/").status_code == 200
    come_in(Browser(), provider)
    assert User.objects.count() == 1  # the same person comes again


@pytest.mark.parametrize(
    ("twist", "how"),
    [
        ({}, {"is_signed": False}),
        ({}, {"pair": "another"}),
        ({"audience": "https://somebody.else/"}, {}),
        ({"age": timedelta(hours=1)}, {}),
    ],
)
def test_an_assertion_unsigned_or_of_somebody_else_or_for_somebody_else_or_old_is_refused(
    client: Client, provider: Provider, twist: dict[str, Any], how: dict[str, Any]
) -> None:
    for name, value in twist.items():
        setattr(provider, name, value)
    forged = {"pair": Provider().pair} if how.get("pair") else how
    assert "did not work" in come_in(client, provider, **forged).content.decode()
    assert not User.objects.exists()


def test_an_answer_that_nobody_asked_for_is_refused(client: Client, provider: Provider) -> None:
    sent_to = str(Browser().get("/account/company/saml/")["Location"])
    reply = client.post("/account/saml/company/acs/", {"SAMLResponse": provider.respond(sent_to)})
    client.get(reply["Location"])
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("page", ["metadata/", "acs/", "acs/finish/", "sls/", "begin/"])
def test_without_a_configured_provider_there_are_no_such_pages(client: Client, db: None, page: str) -> None:
    assert client.get(f"/account/saml/company/{page}").status_code == 404
    assert NAME not in client.get("/admin/login/").content.decode()
