"""What people may do, beside the rights of their groups."""

from __future__ import annotations

from typing import Any, Final

from axes.backends import AxesBackend
from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from cache_admin.people.scope import is_restricted

# Pages that cannot tell one topic from another
ABOUT_ALL_TOPICS: Final = frozenset({
    "cache_admin.view_reconciliation", "cache_admin.run_reconciliation", "cache_admin.repair_reconciliation",
    "django_celery_results.view_taskresult", "cache_admin.add_topic", "cache_admin.add_uploadedflow", "cache_admin.add_modellimit",
    "cache_admin.change_modellimit", "cache_admin.delete_modellimit",
})  # fmt: skip
ABOUT_PEOPLE: Final = "auth."  # groups and people: there one could open all topics to oneself


class PeopleBackend(AxesBackend):  # type: ignore[misc]  # axes has no types
    """Django's passwords and rights, but not while a name is locked, and not beyond one's topics."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **more: Any
    ) -> Any:
        """The person; PermissionDenied after too many wrong passwords. Without a request, as in commands, nobody is locked."""
        if request is not None:
            AxesBackend.authenticate(self, request, username=username, password=password, **more)
        return ModelBackend.authenticate(self, request, username=username, password=password, **more)

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        """Refuses to who is restricted to some topics what concerns all; no other backend is asked then."""
        if (perm in ABOUT_ALL_TOPICS or perm.startswith(ABOUT_PEOPLE)) and is_restricted(user_obj):
            raise PermissionDenied
        return bool(ModelBackend.has_perm(self, user_obj, perm, obj))
