"""Rights by their names in German, where they are given to people and groups."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.utils.translation import activate, override

from cache_admin.models import Preferences
from cache_admin.permission_words import describe_permission


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("codename", "english", "german"),
    [
        ("publish_topic", "Can publish topics to callers", "Darf Themen für Anrufer veröffentlichen"),
        ("view_waitpolicy", "Can view wait policy", "Darf ansehen: Warteregelung"),
        ("change_user", "Can change user", "Darf ändern: Benutzer"),
    ],
)
def test_a_right_has_a_name_in_each_language(codename: str, english: str, german: str) -> None:
    permission = Permission.objects.select_related("content_type").get(codename=codename)
    assert describe_permission(permission).endswith(english)
    with override("de"):
        assert describe_permission(permission).endswith(german)


@pytest.mark.parametrize("page", ["/admin/auth/user/{user}/change/", "/admin/auth/group/{group}/change/"])
def test_who_gives_rights_reads_their_names(supervisor: Client, page: str) -> None:
    user, group = User.objects.get(), Group.objects.first()
    assert group is not None
    Preferences.objects.create(user=user, language="de")
    shown = supervisor.get(page.format(user=user.pk, group=group.pk)).content.decode()
    activate("en")
    assert "Darf Antworten zurückziehen" in shown
    assert "Can " not in shown
