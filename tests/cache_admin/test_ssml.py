from __future__ import annotations

import pytest

from cache_admin.services.ssml import SsmlError, check_ssml


@pytest.mark.parametrize(
    "ssml", ["<speak>One moment.</speak>", '<speak><break time="300ms"/></speak>', "<speak>A &amp; B</speak>"]
)
def test_ssml_with_something_to_say_passes(ssml: str) -> None:
    check_ssml(ssml)


@pytest.mark.parametrize(
    ("ssml", "why"),
    [
        ("One moment.", "not well-formed SSML (line 1, column 1)"),
        ("<speak>One\nmoment</spea>", "not well-formed SSML (line 2, column 9)"),
        ("<speak>A & B</speak>", "not well-formed"),
        ("<p>One moment.</p>", "must be one <speak> element"),
        ("<speak> </speak>", "something to say"),
        ('<!DOCTYPE s [<!ENTITY a "b">]><speak>&a;</speak>', "without declarations"),
        ('<?xml version="1.0"?><speak>a</speak>', "without declarations"),
    ],
)
def test_anything_else_is_refused_with_the_place(ssml: str, why: str) -> None:
    with pytest.raises(SsmlError) as raised:
        check_ssml(ssml)
    assert why in str(raised.value)
