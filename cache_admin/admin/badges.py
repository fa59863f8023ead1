"""Small coloured words."""

from __future__ import annotations

from django.utils.html import format_html
from django.utils.safestring import SafeString

_TONES = {
    "READY": "good", "answered": "good", "SUCCESS": "good",
    "PENDING": "busy", "waiting": "busy", "listening": "busy", "STARTED": "busy", "RETRY": "busy",
    "FAILED": "bad", "failed": "bad", "timed_out": "bad", "abandoned": "bad", "FAILURE": "bad",
    "INVALID": "gone", "left": "gone", "REVOKED": "gone",
    "stale": "gone", "expired": "gone",
}  # fmt: skip


def badge(word: str, label: object) -> SafeString:
    """The label in the tone of the word."""
    return format_html('<span class="badge badge-{}">{}</span>', _TONES.get(word, "plain"), label)
