"""Django's classes with the type parameters that their stubs ask for; Django's own take none at run time."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin, TabularInline
    from django.forms import ModelForm
    from django.forms.models import BaseInlineFormSet
else:
    from django import forms
    from django.contrib import admin

    class ModelAdmin(admin.ModelAdmin):
        __class_getitem__ = classmethod(lambda cls, _: cls)

    class TabularInline(admin.TabularInline):
        __class_getitem__ = classmethod(lambda cls, _: cls)

    class ModelForm(forms.ModelForm):
        __class_getitem__ = classmethod(lambda cls, _: cls)

    class BaseInlineFormSet(forms.models.BaseInlineFormSet):
        __class_getitem__ = classmethod(lambda cls, _: cls)


__all__ = ["BaseInlineFormSet", "ModelAdmin", "ModelForm", "TabularInline"]
