"""Who may do what: four groups that every installation begins with. Administrators change them, and make others."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission
from django.db.models import Q

VIEWERS, SUPERVISORS, REVIEWERS, ADMINISTRATORS = "Viewers", "Supervisors", "Reviewers", "Administrators"
_OURS = Q(content_type__app_label="cache_admin")
_LOOKS = Q(codename__startswith="view_") | Q(codename="add_phonecall")
# What costs money or changes how the whole installation runs
_ADMINISTRATORS_ONLY = Q(content_type__model="modellimit") & ~_LOOKS | Q(codename="repair_reconciliation")
_AUDIT = Q(content_type__model="auditentry")
_SIGNING_IN = Q(content_type__app_label="auth", content_type__model__in=("user", "group"))
_HISTORY = Q(content_type__app_label="django_celery_results", codename="view_taskresult")

_DECISIONS_ON_DRAFTS = Q(codename__regex=r"^(review|approve|reject)_") | Q(codename="change_reviewitem")

ROLES = {
    VIEWERS: _OURS & _LOOKS & ~_AUDIT,
    REVIEWERS: _OURS & (_LOOKS | _DECISIONS_ON_DRAFTS) & ~_AUDIT,
    SUPERVISORS: _OURS & ~_ADMINISTRATORS_ONLY & ~_AUDIT | _HISTORY,
    ADMINISTRATORS: _OURS | _HISTORY | _SIGNING_IN,
}


def make_missing_roles(**_: Any) -> None:
    """Makes the groups that are not there yet, after a migration; those that are there stay as people have made them."""
    missing = [name for name in ROLES if not Group.objects.filter(name=name).exists()]
    if missing:
        for label in ("cache_admin", "auth", "django_celery_results"):
            create_permissions(
                apps.get_app_config(label), verbosity=0
            )  # Django makes an app's after its own signal only
    for name in missing:
        give_role(name)


def give_role(name: str) -> int:
    """Gives the group its rights as they are meant now, beside those that it has; how many were added."""
    group, _ = Group.objects.get_or_create(name=name)
    before = group.permissions.count()
    group.permissions.add(*Permission.objects.filter(ROLES[name]))
    return group.permissions.count() - before
