"""The company's own sign-in, by OpenID Connect or SAML: who somebody is, and the groups that follow from it."""

from __future__ import annotations

from typing import Any, Final

from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.conf import settings
from django.contrib.auth.models import Group
from django.http import HttpRequest

# What providers call the groups, beside the configured name
SAML_GROUPS: Final = (
    "http://schemas.xmlsoap.org/claims/Group",
    "http://schemas.microsoft.com/ws/2008/06/identity/claims/groups",
)


class ProviderAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Lets in whom the provider knows: with the mapped groups, or with no rights at all."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:  # noqa: ARG002 - allauth's
        """The provider decides who has an account."""
        return True

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:  # noqa: ARG002 - as above
        """Brings the groups of somebody known up to date before they are in."""
        if sociallogin.is_existing and sociallogin.state.get("process") != "connect":
            apply_groups(sociallogin.user, find_groups(sociallogin.account))

    def save_user(self, request: HttpRequest, sociallogin: Any, form: Any = None) -> Any:
        """Makes the account of somebody new."""
        user = super().save_user(request, sociallogin, form)
        apply_groups(user, find_groups(sociallogin.account))
        return user


def find_groups(account: Any) -> set[str]:
    """The groups as the provider names them, in what it said of the person."""
    said = account.extra_data or {}
    names: tuple[str, ...]
    if account.provider == "saml" or not {"userinfo", "id_token"} & set(said):
        names, sources = (settings.SAML_GROUPS_ATTRIBUTE, *SAML_GROUPS), [said]
    else:
        names, sources = (settings.OIDC_GROUPS_CLAIM,), [said.get("id_token") or {}, said.get("userinfo") or {}]
    found: set[str] = set()
    for value in (source.get(name) for source in sources for name in names):
        found.update([value] if isinstance(value, str) else map(str, value or ()))
    return found


def apply_groups(user: Any, theirs: set[str]) -> None:
    """Gives the groups that follow from the provider's, and takes those away that do not any more.

    Groups that no pair of CONNECTGENAI_SIGN_IN_GROUPS names are left alone: people here decide on them.
    """
    if not settings.SIGN_IN_GROUPS:
        return
    due = {ours for name, ours in settings.SIGN_IN_GROUPS if name in theirs}
    mapped = {ours for _name, ours in settings.SIGN_IN_GROUPS}
    user.groups.remove(*Group.objects.filter(name__in=mapped - due))
    user.groups.add(*Group.objects.filter(name__in=due))
    is_staff = user.is_superuser or user.groups.exists()
    if user.is_staff != is_staff:
        user.is_staff = is_staff
        user.save(update_fields=["is_staff"])
