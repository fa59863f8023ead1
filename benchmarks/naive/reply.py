"""What the naive Lambdas give to the flow: our contract's keys, so that one caller can call both designs."""

from __future__ import annotations

from html import escape

# The same words as our side's, so that the same time passes while they are spoken.
PROMPTS = (
    "One moment please, I am looking that up.",
    "Thank you for waiting, I am still checking.",
    "I am still here, it will not be long now.",
)


def make_reply(status: str, *, ticket: str, cursor: str = "", text: str = "") -> dict[str, str]:
    """A flat map of strings."""
    return {
        "statusCode": status,
        "ticket": ticket,
        "cursor": cursor,
        "play": "ssml" if text else "nothing",
        "text": text,
        "ssml": f"<speak>{escape(text)}</speak>" if text else "",
        "audio": "",
        "source": "generated" if status == "200" else "",
        "reason": "",
        "estimate": "",
    }
