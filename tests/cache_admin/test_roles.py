"""The groups that every installation begins with: every page, by every role."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.admin import site as admin_site
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.test import Client
from django.urls import NoReverseMatch, reverse

from cache_admin.roles import ADMINISTRATORS, REVIEWERS, ROLES, SUPERVISORS, VIEWERS
from tests.aws import Aws

STAFF = "nobody"
SEEN_BY = {
    "auth": {ADMINISTRATORS},
    "django_celery_results": {SUPERVISORS, ADMINISTRATORS},
    "auditentry": {ADMINISTRATORS},
}
ADDED_BY = {
    "topic": {SUPERVISORS, ADMINISTRATORS},
    "waitpolicy": {SUPERVISORS, ADMINISTRATORS},
    "incident": {SUPERVISORS, ADMINISTRATORS},
    "uploadedflow": {SUPERVISORS, ADMINISTRATORS},
    "warmschedule": {SUPERVISORS, ADMINISTRATORS},
    "modellimit": {ADMINISTRATORS},
    "user": {ADMINISTRATORS},
    "group": {ADMINISTRATORS},
}


def find_pages(kind: str) -> Iterator[tuple[str, str, str]]:
    """The app, the model and the address of each page of this kind."""
    for model in admin_site._registry:
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        yield model._meta.app_label, str(model._meta.model_name), f"admin:{name}_{kind}"


def enter(client: Client, role: str) -> None:
    user = User.objects.create_user(role, password="x", is_staff=True)
    user.groups.set(Group.objects.filter(name=role))
    client.force_login(user)


@pytest.mark.parametrize("role", [STAFF, *ROLES])
def test_every_list_opens_for_those_who_may_see_it_and_for_nobody_else(client: Client, site: Aws, role: str) -> None:
    enter(client, role)
    for app, model, name in find_pages("changelist"):
        may = role in SEEN_BY.get(model, SEEN_BY.get(app, set(ROLES)))
        assert client.get(reverse(name)).status_code == (200 if may else 403), (role, model)


@pytest.mark.parametrize("role", [STAFF, *ROLES])
@pytest.mark.parametrize("method", ["get", "post"])
def test_only_those_who_may_add_reach_the_form(client: Client, site: Aws, role: str, method: str) -> None:
    enter(client, role)
    for _, model, name in find_pages("add"):
        try:
            url = reverse(name)
        except NoReverseMatch:  # a page without such a form
            continue
        may = role in ADDED_BY.get(model, set())
        assert getattr(client, method)(url).status_code == (200 if may else 403), (role, model)


@pytest.mark.django_db
def test_each_role_may_all_that_the_one_before_it_may() -> None:
    may = {name: set(Permission.objects.filter(ROLES[name])) for name in ROLES}
    assert may[VIEWERS] < may[SUPERVISORS] < may[ADMINISTRATORS]
    assert may[VIEWERS] <= may[REVIEWERS] < may[SUPERVISORS]


@pytest.mark.django_db
def test_what_people_have_made_of_a_group_stays_until_they_ask(capsys: pytest.CaptureFixture[str]) -> None:
    viewers = Group.objects.get(name=VIEWERS)
    had = viewers.permissions.count()
    viewers.permissions.clear()
    call_command("migrate", verbosity=0)
    assert viewers.permissions.count() == 0
    call_command("ensure_roles")
    assert viewers.permissions.count() == had
    assert f"{VIEWERS}: {had} rights added" in capsys.readouterr().out
