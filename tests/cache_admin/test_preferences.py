"""The page on which people choose their language and time zone, and what comes of it on the others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone, translation

from cache_admin.models import Preferences
from cache_admin.preferences.applying import find_zone, list_zones, work_for
from tests.aws import Aws

PAGE = "/admin/preferences/"


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """The site leaves the last person's language and zone in force, as Django's own does."""
    yield
    translation.activate("en")
    timezone.deactivate()


def choose(client: Client, **wish: str) -> Any:
    return client.post(PAGE, {"language": "", "time_zone": "", **wish})


def test_a_choice_is_in_force_on_every_page_and_outlives_the_session(supervisor: Client, site: Aws) -> None:
    choose(supervisor, language="de", time_zone="America/New_York")
    supervisor.logout()
    supervisor.force_login(User.objects.get())
    response = supervisor.get("/admin/")
    page = response.content.decode()
    assert '<html lang="de"' in page
    assert response["Content-Language"] == "de"
    assert "Deutsch · America/New_York" in page
    assert "Abmelden" in page


def test_without_a_choice_the_browser_is_asked_then_english_is_spoken(supervisor: Client, site: Aws) -> None:
    def language(wish: str) -> str:
        return supervisor.get("/admin/", headers={"accept-language": wish})["Content-Language"]

    assert [language(wish) for wish in ("de-AT,de;q=0.9,en;q=0.8", "fr", "")] == ["de", "en", "en"]


def test_a_choice_counts_more_than_the_browser(supervisor: Client, site: Aws) -> None:
    choose(supervisor, language="en")
    assert supervisor.get("/admin/", headers={"accept-language": "de"})["Content-Language"] == "en"


def test_the_login_page_goes_by_the_browser(client: Client, db: None) -> None:
    page = client.get("/admin/login/", headers={"accept-language": "de"}).content.decode()
    assert '<html lang="de"' in page
    assert "Anmelden" in page


def test_one_is_back_where_one_came_from_with_a_word_in_the_new_language(supervisor: Client, site: Aws) -> None:
    response = supervisor.post(PAGE, {"language": "de", "time_zone": "", "next": "/admin/cache_admin/call/?q=x"})
    assert response["Location"] == "/admin/cache_admin/call/?q=x"
    assert "sind gespeichert" in supervisor.get("/admin/auth/user/").content.decode()


@pytest.mark.parametrize("elsewhere", ["https://example.com/", "//example.com", "javascript:alert(1)"])
def test_nobody_is_led_to_another_site(supervisor: Client, elsewhere: str) -> None:
    assert choose(supervisor, next=elsewhere)["Location"] == "/admin/"


def test_an_unknown_language_or_zone_is_refused_at_the_field(supervisor: Client) -> None:
    response = choose(supervisor, language="xx", time_zone="Mars/Olympus")
    assert set(response.context["form"].errors) == {"language", "time_zone"}
    assert not Preferences.objects.exists()


def test_each_person_has_a_choice_of_his_own(client: Client, site: Aws) -> None:
    for name, language in (("ada", "de"), ("bob", "en")):
        client.force_login(User.objects.create_superuser(name, password="x"))
        choose(client, language=language)
    found = {row.user.get_username(): row.language for row in Preferences.objects.select_related("user")}
    assert found == {"ada": "de", "bob": "en"}


def test_only_staff_choose(client: Client, db: None) -> None:
    client.force_login(User.objects.create_user("caller", password="x"))
    assert choose(client, language="de")["Location"].startswith("/admin/login/")
    assert not Preferences.objects.exists()


def test_the_zones_are_those_of_places(settings: Any) -> None:
    zones = list_zones()
    assert {"UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Asia/Kolkata"} <= set(zones)
    assert not any(zone.startswith(("Etc/", "US/")) for zone in zones)
    assert zones[0] == "UTC"


def test_a_zone_that_is_no_more_gives_way_to_the_installations(settings: Any) -> None:
    settings.TIME_ZONE = "Asia/Tokyo"
    assert find_zone(Preferences(time_zone="Europe/Atlantis")).key == "Asia/Tokyo"


def test_work_for_somebody_is_done_in_his_language_and_zone(db: None) -> None:
    user = User.objects.create_user("ada", password="x")
    Preferences.objects.create(user=user, language="de", time_zone="Asia/Tokyo")
    with work_for(user):
        assert (translation.get_language(), timezone.get_current_timezone_name()) == ("de", "Asia/Tokyo")
    with work_for(None):
        assert (translation.get_language(), timezone.get_current_timezone_name()) == ("en", "UTC")
