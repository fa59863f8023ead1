"""People and groups: what they may do, the topics they are restricted to, and help for who cannot get in."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from axes.utils import reset
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from cache_admin.admin.badges import badge
from cache_admin.admin.permissions import NamedPermissions
from cache_admin.admin.typed import TabularInline
from cache_admin.models import TopicScope
from cache_admin.people.second_factor import has_second_factor, remove_second_factor
from cache_admin.people.sessions import end_sessions

# Theirs would show and change what has a page of ours, or none on purpose
for _model in (EmailAddress, Authenticator, SocialAccount, SocialApp, SocialToken, Group, User):
    if admin.site.is_registered(_model):
        admin.site.unregister(_model)


class ScopeInline(TabularInline[TopicScope, Any]):
    """The topics; whoever may change the group or the person may change these."""

    model = TopicScope
    fields = ("topics",)
    extra = 0
    max_num = 1

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Ticks, and no way to make a topic here."""
        return db_field.formfield(widget=forms.CheckboxSelectMultiple)

    def _may(self, request: HttpRequest, what: str) -> bool:
        return request.user.has_perm(f"auth.{what}_{self.parent_model._meta.model_name}")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """As for what they belong to; and so the others."""
        return self._may(request, "view") or self._may(request, "change")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A first restriction."""
        return self._may(request, "change")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Other topics."""
        return self._may(request, "change")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """All topics again."""
        return self._may(request, "change")


@admin.register(Group)
class PeopleGroupAdmin(NamedPermissions, DjangoGroupAdmin):  # type: ignore[misc]  # Django types the field exactly
    """Groups, and the topics they are restricted to."""

    inlines = (ScopeInline,)


@admin.register(User)
class PersonAdmin(NamedPermissions, DjangoUserAdmin):  # type: ignore[type-arg]  # takes none at run time
    """People. Only a superuser makes superusers, and changes them: nobody may raise themselves by these pages."""

    inlines = (ScopeInline,)
    list_display = ("username", "first_name", "last_name", "is_active", "factor", "last_login")
    list_filter = ("is_active", "is_superuser", "groups")
    actions = ("sign_out_everywhere", "forget_second_factor", "unlock")

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        """What would give more than a group does."""
        own = ("last_login", "date_joined")
        return own if request.user.is_superuser else (*own, "is_superuser", "user_permissions")

    def get_inlines(self, request: HttpRequest, obj: User | None = None) -> Any:
        """None while a person is made: first the name and the password."""
        return self.inlines if obj else ()

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Superusers by superusers only."""
        return super().has_change_permission(request, obj) and self._is_in_reach(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Superusers by superusers only."""
        return super().has_delete_permission(request, obj) and self._is_in_reach(request, obj)

    @staticmethod
    def _is_in_reach(request: HttpRequest, obj: User | None) -> bool:
        return bool(obj is None or request.user.is_superuser or not obj.is_superuser)

    def _choose(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        return queryset if request.user.is_superuser else queryset.filter(is_superuser=False)

    @admin.display(description=_("second factor"))
    def factor(self, person: User) -> SafeString:
        """Whether a password alone lets this person in."""
        return badge("READY", _("on")) if has_second_factor(person) else badge("left", _("off"))

    @admin.action(description=_("Sign out everywhere"), permissions=["change"])
    def sign_out_everywhere(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """On every computer, at once."""
        people = list(self._choose(request, queryset))
        count = end_sessions([person.pk for person in people])
        for person in people:
            self.log_change(request, person, gettext("Signed out everywhere."))
        messages.success(request, ngettext("%d session ended.", "%d sessions ended.", count) % count)

    @admin.action(description=_("Forget the second factor (lost phone)"), permissions=["change"])
    def forget_second_factor(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """The next sign-in needs the password only, and sets up another if one is asked for."""
        gone = [person for person in self._choose(request, queryset) if remove_second_factor(person)]
        for person in gone:
            self.log_change(request, person, gettext("Second factor forgotten."))
        count = len(gone)
        messages.success(
            request, ngettext("%d second factor forgotten.", "%d second factors forgotten.", count) % count
        )

    @admin.action(description=_("Unlock after too many wrong passwords"), permissions=["change"])
    def unlock(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """From wherever they have tried."""
        count = 0
        for person in self._choose(request, queryset):
            count += bool(reset(username=person.get_username()))
            self.log_change(request, person, gettext("Unlocked."))
        messages.success(request, ngettext("%d name unlocked.", "%d names unlocked.", count) % count)
