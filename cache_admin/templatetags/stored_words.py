"""What was written into rows in English, in the language of the page."""

from __future__ import annotations

from django import template

from cache_admin.stored_words import read_stored

register = template.Library()
register.filter("read_stored", read_stored)
