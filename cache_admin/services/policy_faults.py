"""What is impossible in a wait policy, in the language of the page."""

from __future__ import annotations

from django.utils.translation import gettext_noop

from cache_admin.stored_words import read_stored
from connectgenai.wire.waiting import WaitPolicy, find_policy_faults

# As connectgenai/wire/waiting.py says them, which knows no other language; the one with numbers is in stored_words.py
SENTENCES = (
    gettext_noop("Hold must be 0 to 7 seconds: Connect waits 8 seconds for a Lambda."),
    gettext_noop("Hold is silence on the line: it must not be longer than the longest silence."),
    gettext_noop("The longest wait must be longer than the delay before the first prompt."),
    gettext_noop("The interval is shorter than the longest prompt: callers would hear prompts without a pause."),
    gettext_noop("Without prompts and comfort audio callers hear nothing at all: add at least one."),
)


def explain_policy_faults(policy: WaitPolicy) -> list[str]:
    """Why a policy cannot keep its promise of silence or patience; empty when it can."""
    return [read_stored(fault) for fault in find_policy_faults(policy)]
