"""What the linter says, in the language of the page."""

from __future__ import annotations

from django import template

from cache_admin.phone.finding_words import explain

register = template.Library()
register.filter("explain_finding", explain)
