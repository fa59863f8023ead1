"""Coming in with a local account: the password, too many wrong ones, and the second factor."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from axes.models import AccessAttempt
from django.contrib.auth.models import Group, User
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client

from cache_admin.people.lock_out import name_attempt, read_address
from cache_admin.people.second_factor import has_second_factor, remove_second_factor
from cache_admin.roles import ADMINISTRATORS, SUPERVISORS

PASSWORD = "a long enough password"
SIGN_IN, APP = "/admin/login/", "/account/second-factor/app/"


@pytest.fixture(autouse=True)
def nobody_has_tried() -> None:
    """Attempts at codes are counted in the cache, which outlives a test."""
    cache.clear()


@pytest.fixture
def ada(db: None) -> User:
    person = User.objects.create_user("ada", password=PASSWORD, is_staff=True)
    person.groups.add(Group.objects.get(name=SUPERVISORS))
    return person


def sign_in(client: Client, name: str = "ada", password: str = PASSWORD, **more: str) -> Any:
    return client.post(SIGN_IN, {"username": name, "password": password, **more})


def make_code(secret: str) -> str:
    """What the app on the phone shows now."""
    return str(format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time()))))


def set_up(client: Client) -> tuple[str, Any]:
    """Sets the second factor up, as a person does; its secret, and the page after."""
    asked = client.get(APP)
    assert asked["Location"].startswith(
        "/account/reauthenticate/"
    )  # a password that lies open in a browser is not enough
    assert "Type your password" in client.get(asked["Location"]).content.decode()
    page = client.post(asked["Location"], {"password": PASSWORD}, follow=True)
    found = re.search(r'class="secret">(\w+)<', page.content.decode())
    assert found, page.content.decode()[:2000]
    return found[1], client.post(APP, {"code": make_code(found[1])}, follow=True)


def is_in(client: Client) -> bool:
    return client.get("/admin/password_change/").status_code == 200


# the password


def test_a_password_leads_to_where_one_wanted_to_go(client: Client, ada: User) -> None:
    assert 'value="/admin/password_change/"' in client.get(f"{SIGN_IN}?next=/admin/password_change/").content.decode()
    assert sign_in(client, next="/admin/password_change/")["Location"] == "/admin/password_change/"
    assert is_in(client)


@pytest.mark.parametrize("wish", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_no_address_leads_away_from_this_site(client: Client, ada: User, wish: str) -> None:
    assert "evil" not in client.get(SIGN_IN, {"next": wish}).content.decode()
    assert sign_in(client, next=wish)["Location"] == "/admin/"


def test_a_wrong_password_and_an_unknown_name_are_told_the_same(client: Client, ada: User) -> None:
    pages = [
        re.sub(
            r'csrfmiddlewaretoken" value="\w+"|value="(ada|eve)"', "", sign_in(client, name, "wrong").content.decode()
        )
        for name in ("ada", "eve")
    ]
    assert pages[0] == pages[1]
    assert not is_in(client)


def test_who_is_in_without_any_rights_is_told_so_and_can_leave(client: Client, db: None) -> None:
    User.objects.create_user("new", password=PASSWORD)
    sign_in(client, "new")
    page = client.get("/admin/", follow=True)
    assert (page.status_code, "no rights here yet" in page.content.decode()) == (403, True)
    assert 'action="/admin/logout/"' in page.content.decode()


@pytest.mark.parametrize("url", ["/account/signup/", "/account/email/", "/account/password/reset/"])
def test_there_is_nowhere_to_sign_up_and_nothing_that_needs_mail(client: Client, db: None, url: str) -> None:
    assert client.get(url).status_code == 404


# too many wrong ones


def lock(client: Client, name: str = "ada") -> Any:
    return [sign_in(client, name, f"wrong {number}") for number in range(5)][-1]


@pytest.mark.parametrize("name", ["ada", "nobody-of-this-name"])
def test_after_five_wrong_passwords_a_name_is_locked_whether_it_exists_or_not(
    client: Client, ada: User, name: str
) -> None:
    page = lock(client, name)
    assert (page.status_code, "For 15 minutes nobody is let in" in page.content.decode()) == (429, True)
    assert name not in page.content.decode()
    assert sign_in(client, name).status_code == 429  # the right password, too
    assert not is_in(client)


def test_a_lock_holds_for_one_name_from_one_address(client: Client, ada: User, settings: Any) -> None:
    User.objects.create_user("bob", password=PASSWORD, is_staff=True)
    lock(client)
    assert sign_in(Client(), "bob").status_code == 302
    elsewhere = Client(REMOTE_ADDR="192.0.2.7")
    assert sign_in(elsewhere).status_code == 302


def test_a_lock_ends_after_its_time(client: Client, ada: User) -> None:
    lock(client)
    for attempt in AccessAttempt.objects.all():
        AccessAttempt.objects.filter(pk=attempt.pk).update(attempt_time=attempt.attempt_time - timedelta(minutes=16))
    assert sign_in(client).status_code == 302


def test_the_right_password_in_between_begins_the_count_again(client: Client, ada: User) -> None:
    for _ in range(2):
        for number in range(4):
            sign_in(client, "ada", f"wrong {number}")
        assert sign_in(client).status_code == 302
        client.post("/admin/logout/")


def test_what_is_typed_into_the_wrong_field_is_kept_nowhere(client: Client, ada: User) -> None:
    secret = "hunter2-typed-as-the-name"
    sign_in(client, secret, "wrong", next="/admin/cache_admin/call/?q=words-of-a-caller")
    [row] = AccessAttempt.objects.values()
    assert not [value for value in row.values() if secret in str(value) or "words-of-a-caller" in str(value)]
    assert str(row["username"]).startswith("unknown-")


def test_an_administrator_unlocks_a_name_at_once(client: Client, ada: User) -> None:
    lock(client)
    boss = Client()
    boss.force_login(User.objects.create_superuser("boss"))
    boss.post("/admin/auth/user/", {"action": "unlock", "_selected_action": [ada.pk]})
    assert sign_in(client).status_code == 302


@pytest.mark.parametrize(
    ("configured", "seen"),
    [("", "10.0.0.1"), ("HTTP_X_FORWARDED_FOR", "192.0.2.9"), ("HTTP_X_REAL_IP", "10.0.0.1")],
)
def test_the_address_is_the_configured_proxy_s_word_and_nobody_else_s(
    rf: Any, settings: Any, configured: str, seen: str
) -> None:
    settings.AUDIT_ADDRESS = configured
    request = rf.get("/", REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR="6.6.6.6, 192.0.2.9")
    assert read_address(request) == seen


def test_an_attempt_is_counted_under_the_name_that_exists(rf: Any, ada: User) -> None:
    assert name_attempt(rf.post("/", {"username": "ada"})) == "ada"
    assert name_attempt(rf.post("/", {"username": "eve"})) == name_attempt(rf.post("/"), {"username": "eve"}) != "eve"


# the second factor


def test_the_second_factor_is_set_up_and_asked_for_at_the_next_sign_in(client: Client, ada: User) -> None:
    sign_in(client)
    secret, after = set_up(client)
    codes = re.findall(r"<li>(\w{8,})</li>", after.content.decode())
    assert (has_second_factor(ada), len(codes)) == (True, 10)
    client.post("/admin/logout/")
    cache.clear()  # a code counts once; the next one would be shown in half a minute
    assert sign_in(client, next="/admin/")["Location"].startswith("/account/second-factor/code/")
    assert not is_in(client)
    assert "Incorrect code" in client.post("/account/second-factor/code/", {"code": "000000"}).content.decode()
    assert client.post("/account/second-factor/code/", {"code": make_code(secret)})["Location"] == "/admin/"
    assert is_in(client)


def test_a_code_on_paper_lets_in_once(client: Client, ada: User) -> None:
    sign_in(client)
    _, after = set_up(client)
    code = re.findall(r"<li>(\w{8,})</li>", after.content.decode())[0]
    outcomes = []
    for _ in range(2):
        client.post("/admin/logout/")
        sign_in(client)
        outcomes.append(client.post("/account/second-factor/code/", {"code": code}).status_code)
    assert outcomes == [302, 200]


def test_codes_cannot_be_guessed_for_long(client: Client, ada: User) -> None:
    sign_in(client)
    secret, _ = set_up(client)
    client.post("/admin/logout/")
    cache.clear()
    sign_in(client)
    for number in range(6):
        page = client.post("/account/second-factor/code/", {"code": f"00000{number}"}).content.decode()
    assert "Too many failed login attempts" in page
    client.post("/account/second-factor/code/", {"code": make_code(secret)})
    assert not is_in(client)


def test_the_secret_lies_encrypted_in_the_database(client: Client, ada: User, settings: Any) -> None:
    sign_in(client)
    secret, _ = set_up(client)
    kept = Authenticator.objects.get(user=ada, type="totp").data["secret"]
    assert secret not in kept
    settings.SECRET_KEY = "another-key-another-key-another-key"
    with pytest.raises(ValueError, match="another CONNECTGENAI_SECRET_KEY"):
        Authenticator.objects.get(user=ada, type="totp").wrap().validate_code("000000")


@pytest.mark.parametrize(
    ("wish", "role", "asked"),
    [
        ("off", ADMINISTRATORS, False),
        ("administrators", SUPERVISORS, False),
        ("administrators", ADMINISTRATORS, True),
        ("everyone", SUPERVISORS, True),
    ],
)
def test_who_needs_a_second_factor_gets_nowhere_before_it_is_set_up(
    client: Client, db: None, settings: Any, wish: str, role: str, asked: bool
) -> None:
    settings.REQUIRE_SECOND_FACTOR = wish
    person = User.objects.create_user("eve", password=PASSWORD, is_staff=True)
    person.groups.add(Group.objects.get(name=role))
    sign_in(client, "eve")
    for url in ("/admin/auth/user/", "/admin/password_change/", "/admin/now/", "/admin/cache_admin/call/"):
        page = client.get(url)
        assert (page.status_code == 302 and page["Location"] == APP) is asked, url
    if asked:
        set_up(client)
    assert is_in(client)


def test_a_forgotten_phone_is_put_right_by_an_administrator(client: Client, ada: User) -> None:
    sign_in(client)
    set_up(client)
    boss = Client()
    boss.force_login(User.objects.create_superuser("boss"))
    page = boss.post("/admin/auth/user/", {"action": "forget_second_factor", "_selected_action": [ada.pk]}, follow=True)
    assert "1 second factor forgotten" in page.content.decode()
    assert not has_second_factor(ada)
    assert not remove_second_factor(ada)
    client.post("/admin/logout/")
    assert sign_in(client)["Location"] == "/admin/"


def test_signing_out_everywhere_ends_every_session_of_that_person_only(client: Client, ada: User) -> None:
    sign_in(client)
    other = Client()
    sign_in(other)
    boss = Client()
    boss.force_login(User.objects.create_superuser("boss"))
    page = boss.post("/admin/auth/user/", {"action": "sign_out_everywhere", "_selected_action": [ada.pk]}, follow=True)
    assert "2 sessions ended" in page.content.decode()
    assert (is_in(client), is_in(other), is_in(boss)) == (False, False, True)


@pytest.mark.parametrize("url", ["", "off/"])
def test_the_second_factor_s_pages_are_nobody_s_without_signing_in(client: Client, db: None, url: str) -> None:
    assert client.get(f"/account/second-factor/app/{url}").status_code == 302


def test_switching_the_second_factor_off_and_new_codes_take_a_confirmation(client: Client, ada: User) -> None:
    sign_in(client)
    set_up(client)
    assert "codes on paper are left" in client.get("/account/second-factor/").content.decode()
    assert client.get("/account/second-factor/paper/new/").status_code == 200
    assert client.post("/account/second-factor/paper/new/").status_code == 302
    assert client.get("/account/second-factor/app/off/").status_code == 200
    assert has_second_factor(ada)
    client.post("/account/second-factor/app/off/")
    assert not has_second_factor(ada)


def test_the_last_administrator_s_phone_is_forgotten_by_a_command(
    client: Client, ada: User, capsys: pytest.CaptureFixture[str]
) -> None:
    sign_in(client)
    set_up(client)
    for said in ("ada: forgotten", "ada: there was none"):
        call_command("forget_second_factor", "ada")
        assert said in capsys.readouterr().out
    with pytest.raises(CommandError, match="nobody called eve"):
        call_command("forget_second_factor", "eve")
