"""Rights on the pages where they are given: by their names in the language of the page."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Permission
from django.http import HttpRequest

from cache_admin.permission_words import describe_permission


class NamedPermissions:
    """For pages on which rights are chosen, before Django's own class."""

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Django's field, with each right's name translated."""
        field: Any = super().formfield_for_manytomany(db_field, request, **kwargs)  # type: ignore[misc]
        if field is not None and db_field.related_model is Permission:
            field.label_from_instance = describe_permission
        return field
