"""Django's classes with the type parameters that their stubs ask for; Django's own take none at run time.

`ModelAdmin` is the one that leaves entries in the audit trail.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from django.db.models import Model

from cache_admin.audit.pages import AuditedPages

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin as DjangoAdmin
    from django.contrib.admin import TabularInline
    from django.forms import ModelForm
    from django.forms.models import BaseInlineFormSet
else:
    from django import forms
    from django.contrib import admin

    class DjangoAdmin(admin.ModelAdmin):
        __class_getitem__ = classmethod(lambda cls, _: cls)

    class TabularInline(admin.TabularInline):
        __class_getitem__ = classmethod(lambda cls, _: cls)

    class ModelForm(forms.ModelForm):
        __class_getitem__ = classmethod(lambda cls, _: cls)

    class BaseInlineFormSet(forms.models.BaseInlineFormSet):
        __class_getitem__ = classmethod(lambda cls, _: cls)


__all__ = ["BaseInlineFormSet", "ModelAdmin", "ModelForm", "TabularInline"]
M = TypeVar("M", bound=Model)


class ModelAdmin(AuditedPages, DjangoAdmin[M]):
    """A page of ours for a model."""
