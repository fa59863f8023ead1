"""What the flow's runner says of a call, in German: every sentence that it has."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings
from django.utils.translation import override

from cache_admin.phone.runner_words import SENTENCES, tell_event
from tests.cache_admin.test_finding_words import list_texts

# Only scenarios have a virtual clock
RUNNER = sorted(
    path for path in (Path(settings.BASE_DIR) / "flows" / "runner").glob("*.py") if path.stem != "virtual_clock"
)


def test_every_sentence_of_the_runner_is_said_in_german() -> None:
    texts = [text for text in list_texts(RUNNER) if len([word for word in text.split() if word.isalpha()]) > 2]
    assert len(texts) > 35
    with override("de"):
        assert [text for text in texts if tell_event({"kind": "end", "text": text})["text"] == text] == []


def test_a_reason_inside_a_reason_is_translated_too() -> None:
    event = {"kind": "end", "way": "failed", "text": "ask: no key was pressed, and there is no branch for it"}
    with override("de"):
        assert tell_event(event) == {**event, "text": "ask: keine Taste wurde gedrückt, und dafür gibt es keinen Zweig"}


@pytest.mark.parametrize("kind", ["prompt", "part", "say"])
def test_what_is_said_on_the_line_stays_as_it_was(kind: str) -> None:
    event = {"kind": kind, "text": SENTENCES[0]}
    with override("de"):
        assert tell_event(event) == event
