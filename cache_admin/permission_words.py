"""Rights by their names in the language of the page; the database has them in English only."""

from __future__ import annotations

from django.apps import apps
from django.contrib.auth.models import Permission
from django.utils.translation import gettext, gettext_noop

# Django makes a right of each for every model, with the model's name behind it
_MADE_BY_DJANGO = {
    "add": gettext_noop("Can add %s"),
    "change": gettext_noop("Can change %s"),
    "delete": gettext_noop("Can delete %s"),
    "view": gettext_noop("Can view %s"),
}


def describe_permission(permission: Permission) -> str:
    """As in "Contact centre | topic | Can publish topics to callers"."""
    return f"{permission.content_type} | {_translate(permission)}"


def _translate(permission: Permission) -> str:
    model = permission.content_type.model_class()
    verb, _, name = permission.codename.partition("_")
    if model and verb in _MADE_BY_DJANGO and name == model._meta.model_name:
        return gettext(_MADE_BY_DJANGO[verb]) % model._meta.verbose_name
    return gettext(permission.name)


def list_own_permissions() -> list[tuple[str, str]]:
    """Codename and English name of each right that is not one of Django's four."""
    models = apps.get_app_config("cache_admin").get_models()
    return [(code, str(name)) for model in models for code, name in model._meta.permissions]
