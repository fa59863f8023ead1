"""The addresses around signing in. Of allauth's only those that this site needs: nobody signs up, and no mail is sent."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from importlib import import_module

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import path
from django.utils.http import urlencode
from django.views.decorators.csrf import csrf_exempt

logger = logging.getLogger(__name__)
View = Callable[..., HttpResponseBase]


def _house(module: str, name: str) -> View:
    """A view of allauth in our page, loaded when it is first asked for."""

    def show(request: HttpRequest, **named: str) -> HttpResponseBase:
        from cache_admin.people.sign_in import in_house  # noqa: PLC0415 - allauth is slow to load

        return in_house(getattr(import_module(f"allauth.{module}.views"), name))(request, **named)

    return show


def _show_outage(request: HttpRequest) -> HttpResponseBase:
    from cache_admin.people.sign_in import render_page  # noqa: PLC0415 - as above

    return render_page(request, "socialaccount/authentication_error.html", status=502)


def _provider(kind: str, name: str) -> View:
    """A view of a provider; 404 unless it is configured."""

    def show(request: HttpRequest, **named: str) -> HttpResponseBase:
        if kind not in settings.SOCIALACCOUNT_PROVIDERS:
            raise Http404
        from allauth.socialaccount.providers import registry  # noqa: PLC0415 - as above

        registry.load()  # allauth's own list of addresses would have done it
        try:
            return _house(f"socialaccount.providers.{kind}", name)(request, **named)
        except OSError as error:  # what the libraries raise when a provider cannot be reached
            logger.warning("The company's sign-in does not answer: %s", type(error).__name__)
            return _show_outage(request)

    return show


def begin(request: HttpRequest, kind: str) -> HttpResponseBase:
    """Leads to the company's own sign-in, from a link of this site or one that somebody has typed, and from no other site.

    A link, not a form: the browser would not follow a form's redirect to another origin (form-action in the policy).
    """
    if kind not in settings.SOCIALACCOUNT_PROVIDERS or request.method != "GET":
        raise Http404
    if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        return redirect("admin:login")
    if kind == "saml":
        return _provider(kind, "login")(request, organization_slug="company")
    return _provider(kind, "login")(request, provider_id="oidc")


def to_sign_in(request: HttpRequest) -> HttpResponseBase:
    """allauth's name for the sign-in page."""
    wish = request.GET.get("next")
    response = redirect("admin:login")
    if wish:
        response["Location"] += f"?{urlencode({'next': wish})}"
    return response


oidc, saml = partial(_provider, "openid_connect"), partial(_provider, "saml")
COMPANY = {"organization_slug": "company"}
urlpatterns = [
    path("login/", to_sign_in, name="account_login"),
    path("inactive/", _house("account", "account_inactive"), name="account_inactive"),
    path("reauthenticate/", _house("account", "reauthenticate"), name="account_reauthenticate"),
    path("second-factor/", _house("mfa.base", "index"), name="mfa_index"),
    path("second-factor/code/", _house("mfa.base", "authenticate"), name="mfa_authenticate"),
    path("second-factor/again/", _house("mfa.base", "reauthenticate"), name="mfa_reauthenticate"),
    path("second-factor/app/", _house("mfa.totp", "activate_totp"), name="mfa_activate_totp"),
    path("second-factor/app/off/", _house("mfa.totp", "deactivate_totp"), name="mfa_deactivate_totp"),
    path("second-factor/paper/", _house("mfa.recovery_codes", "view_recovery_codes"), name="mfa_view_recovery_codes"),
    path(
        "second-factor/paper/new/",
        _house("mfa.recovery_codes", "generate_recovery_codes"),
        name="mfa_generate_recovery_codes",
    ),
    path("company/<str:kind>/", begin, name="people_begin"),
    path("company/connections/list/", _house("socialaccount", "connections"), name="socialaccount_connections"),
    path("company/login/cancelled/", _house("socialaccount", "login_cancelled"), name="socialaccount_login_cancelled"),
    path("company/login/error/", _house("socialaccount", "login_error"), name="socialaccount_login_error"),
    path("company/sign-up/", _house("socialaccount", "signup"), name="socialaccount_signup"),
    path("<str:provider_id>/callback/", oidc("callback"), name="openid_connect_callback"),
    path("<str:provider_id>/begin/", oidc("login"), name="openid_connect_login"),
    path("saml/<str:organization_slug>/begin/", saml("login"), name="saml_login"),
    path("saml/<str:organization_slug>/acs/", csrf_exempt(saml("acs")), name="saml_acs"),
    path("saml/<str:organization_slug>/acs/finish/", saml("finish_acs"), name="saml_finish_acs"),
    path("saml/<str:organization_slug>/sls/", csrf_exempt(saml("sls")), name="saml_sls"),
    path("saml/<str:organization_slug>/metadata/", saml("metadata"), name="saml_metadata"),
]
