"""Numbers as people read them, in the language of the page."""

from __future__ import annotations

from decimal import Decimal

from django.utils.formats import number_format
from django.utils.translation import gettext as _


def show_count(value: int) -> str:
    """A whole number in groups of three digits."""
    return str(number_format(value, force_grouping=True))


def show_decimal(value: float | Decimal, digits: int = 1) -> str:
    """A number with so many digits behind the point, rounded."""
    return str(number_format(f"{value:.{digits}f}", digits, force_grouping=True))


def show_seconds(value: float, digits: int = 1) -> str:
    """As in "3.5 s"."""
    return _("%s s") % show_decimal(value, digits)


def show_duration(seconds: int) -> str:
    """Whole seconds, minutes, or hours and minutes: the largest that say enough."""
    if seconds < 60:
        return _("%d s") % seconds
    minutes = seconds // 60
    if minutes < 60:
        return _("%d min") % minutes
    return _("%(hours)s h %(minutes)d min") % {"hours": show_count(minutes // 60), "minutes": minutes % 60}
