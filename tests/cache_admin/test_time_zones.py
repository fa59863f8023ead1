"""Times in each person's zone: shown, written, exported and imported, on days on which the clocks change too."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone, translation

from cache_admin.home.page import describe_hours
from cache_admin.incidents.forms import IncidentForm
from cache_admin.models import Call, Preferences, Topic, WarmBatch, WarmSchedule
from cache_admin.services.answers import AnswerError
from cache_admin.warming.planning import Planner, read_time
from cache_admin.warming.reading import Draft
from cache_admin.warming.schedules import find_begin, is_due
from tests.aws import Aws

BERLIN, NEW_YORK, KOLKATA = (ZoneInfo(name) for name in ("Europe/Berlin", "America/New_York", "Asia/Kolkata"))
SPRING, AUTUMN = datetime(2027, 3, 28, tzinfo=BERLIN), datetime(2027, 10, 31, tzinfo=BERLIN)
CALLS = "/admin/cache_admin/call/"


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """The site leaves the last person's language and zone in force, as Django's own does."""
    yield
    translation.activate("en")
    timezone.deactivate()


def live_in(zone: ZoneInfo, language: str = "en") -> User:
    user = User.objects.get()
    Preferences.objects.update_or_create(user=user, defaults={"time_zone": zone.key, "language": language})
    return user


def make_call(asked_at: datetime, name: str = "c1") -> Call:
    return Call.objects.create(
        contact_id=name, key=f"faq.{name}", topic="faq", language="en-US", outcome="answered", source="hit",
        asked_at=asked_at, last_seen_at=asked_at, changed_at=asked_at,
    )  # fmt: skip


# shown


@pytest.mark.parametrize(("zone", "shown"), [(BERLIN, "9 p.m."), (NEW_YORK, "4 p.m."), (KOLKATA, "1:30 a.m.")])
def test_a_list_shows_times_in_the_readers_zone(supervisor: Client, zone: ZoneInfo, shown: str) -> None:
    make_call(datetime(2027, 3, 27, 20, 0, tzinfo=UTC))  # America's clocks have changed, Europe's change the next night
    live_in(zone)
    assert shown in supervisor.get(CALLS).content.decode()


def test_the_zone_stands_on_every_page_and_beside_the_first_pages_time(supervisor: Client, site: Aws) -> None:
    live_in(KOLKATA)
    page = supervisor.get("/admin/").content.decode()
    assert "Asia/Kolkata" in page
    assert supervisor.get("/admin/now/").json()["at"].endswith(" IST")


def test_the_chart_names_each_hour_as_the_readers_clock_does(db: None, supervisor: Client) -> None:
    user, now = live_in(KOLKATA), datetime(2027, 3, 28, 12, 10, tzinfo=UTC)
    make_call(now - timedelta(minutes=5))
    with timezone.override(KOLKATA):
        chart = describe_hours(user, now=now, topic="half")
        assert (chart["labels"][0], chart["labels"][-1]) == ("18:30", "17:30")
    with timezone.override(KOLKATA):
        chart = describe_hours(user, now=now, topic="")
    assert [row["values"][-1] for row in chart["series"] if row["kind"] == "known"] == [1]


def test_on_the_night_of_the_change_the_chart_has_every_hour_once_and_names_the_zone(supervisor: Client) -> None:
    user = live_in(BERLIN)
    with timezone.override(BERLIN):
        labels = describe_hours(user, now=AUTUMN + timedelta(hours=12), topic="autumn")["labels"]
    assert len(set(labels)) == 24
    assert [label for label in labels if label.startswith("02:")] == ["02:00 CEST", "02:00 CET"]


# written


@pytest.mark.parametrize("zone", [BERLIN, NEW_YORK])
def test_a_form_reads_times_in_the_writers_zone(topic: Topic, zone: ZoneInfo) -> None:
    tomorrow = (timezone.now() + timedelta(days=1)).date()
    with timezone.override(zone):
        form = make_form(f"{tomorrow}T17:00")
        assert form.is_valid(), form.errors
    expected = datetime.combine(tomorrow, time(17), zone)
    assert form.cleaned_data["until"] == expected


@pytest.mark.parametrize("moment", ["2027-03-28T02:30", "2027-10-31T02:30"])
@pytest.mark.parametrize(("language", "words"), [("en", "interpreted in time zone"), ("de", "Zeitzone Europe/Berlin")])
def test_a_time_that_is_left_out_or_comes_twice_is_refused_at_its_field(
    topic: Topic, moment: str, language: str, words: str
) -> None:
    with timezone.override(BERLIN), translation.override(language):
        assert words in make_form(moment).errors["until"][0]


def make_form(until: str) -> IncidentForm:
    wish: dict[str, Any] = {"text": "We are closed.", "topics": ["faq"], "lasts": "other", "until": until}
    return IncidentForm(wish)


# imported and exported


def test_an_imported_time_is_in_the_zone_of_who_imports(topic: Topic, supervisor: Client) -> None:
    user = live_in(NEW_YORK)
    batch = WarmBatch.objects.create(kind="answers", name="a.csv", created_at=timezone.now(), created_by=user)
    draft = Draft(1, question="Open?", answer="Yes, we are.", topic="faq", valid_until="2099-07-01 18:00")
    (row,) = Planner(batch, now=timezone.now()).plan([draft])
    assert row.valid_until == datetime(2099, 7, 1, 22, 0, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2027-03-28 02:30", "2027-10-31 02:30"])
def test_an_imported_time_that_could_mean_two_moments_or_none_is_refused_and_the_offset_helps(text: str) -> None:
    with pytest.raises(AnswerError, match="twice or never in Europe/Berlin"):
        read_time(text, zone=BERLIN)
    assert read_time(f"{text}+01:00", zone=BERLIN) == datetime.fromisoformat(f"{text}+01:00")


def test_a_whole_day_lasts_from_midnight_to_midnight_also_when_it_is_shorter() -> None:
    begin, end = (read_time("2027-03-28", zone=BERLIN, is_end=is_end) for is_end in (False, True))
    assert begin is not None
    assert end is not None
    assert end.astimezone(UTC) - begin.astimezone(UTC) == timedelta(hours=23)


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_an_export_carries_times_with_the_offset_of_the_readers_zone(supervisor: Client, kind: str) -> None:
    make_call(datetime(2027, 3, 27, 20, 0, tzinfo=UTC))
    make_call(datetime(2027, 3, 28, 20, 0, tzinfo=UTC), "c2")
    live_in(BERLIN)
    response: Any = supervisor.get(f"{CALLS}export/{kind}/")
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    assert "2027-03-27T21:00:00+01:00" in text
    assert "2027-03-28T22:00:00+02:00" in text
    if kind == "json":
        moments = sorted(datetime.fromisoformat(row["asked_at"]) for row in json.loads(text))
        assert moments[1] - moments[0] == timedelta(days=1)


# schedules


def make_schedule(topic: Topic, at: str = "02:30") -> WarmSchedule:
    made = WarmSchedule(topic=topic, when="daily", at=time.fromisoformat(at), days="1234567", most_asked=5)
    made.save()
    return made


def list_runs(schedule: WarmSchedule, night: datetime) -> list[str]:
    """At which minutes of the night it would run, as the clocks of the place show them."""
    runs, moment = [], night.astimezone(UTC)
    for _ in range(6 * 60):
        if is_due(schedule, now=moment):
            runs.append(moment.astimezone(BERLIN).strftime("%H:%M %Z"))
            schedule.last_run_at = moment
        moment += timedelta(minutes=1)
    return runs


@pytest.mark.parametrize(
    ("night", "run"),
    [
        (SPRING - timedelta(days=1), "02:30 CET"),
        (SPRING, "03:30 CEST"),  # there is no 02:30
        (AUTUMN, "02:30 CEST"),  # the first of two
        (AUTUMN + timedelta(days=1), "02:30 CET"),
    ],
)
def test_a_schedule_runs_once_a_night_also_when_the_clocks_change(
    topic: Topic, settings: Any, night: datetime, run: str
) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    assert list_runs(make_schedule(topic), night) == [run]


def test_a_schedule_is_in_the_installations_zone_whoever_looks_and_says_so(
    topic: Topic, supervisor: Client, settings: Any
) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    schedule = make_schedule(topic, "05:30")
    live_in(NEW_YORK)
    page = supervisor.get("/admin/cache_admin/warmschedule/").content.decode()
    assert "05:30 (Europe/Berlin)" in page
    form = supervisor.get(f"/admin/cache_admin/warmschedule/{schedule.pk}/change/").content.decode()
    assert "In the installation's time zone, Europe/Berlin" in form
    with timezone.override(NEW_YORK):
        assert find_begin(time(5, 30), now=SPRING) == datetime(2027, 3, 28, 3, 30, tzinfo=UTC)
