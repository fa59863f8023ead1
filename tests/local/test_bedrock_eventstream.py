"""AWS's event-stream encoding, read back by botocore's own decoder."""

from __future__ import annotations

import json

import pytest
from botocore.eventstream import ChecksumMismatch, EventStreamBuffer
from hypothesis import given
from hypothesis import strategies as st

from local.bedrock.eventstream import encode_event, encode_exception, encode_message

NAMES = st.text(min_size=1, max_size=60)
VALUES = st.text(max_size=300)
MESSAGES = st.tuples(st.dictionaries(NAMES, VALUES, max_size=6), st.binary(max_size=2_000))


def read_messages(data: bytes, *, cut: int = 0) -> list[tuple[dict[str, object], bytes]]:
    buffer = EventStreamBuffer()
    buffer.add_data(data[:cut])
    found = list(buffer)
    buffer.add_data(data[cut:])
    return [(message.headers, message.payload) for message in [*found, *buffer]]


@given(st.lists(MESSAGES, min_size=1, max_size=4), st.integers(min_value=0))
def test_messages_come_back_as_they_were_however_the_bytes_are_cut(
    messages: list[tuple[dict[str, str], bytes]], cut: int
) -> None:
    data = b"".join(encode_message(headers, payload) for headers, payload in messages)
    assert read_messages(data, cut=cut % (len(data) + 1)) == messages


@given(MESSAGES, st.data())
def test_one_wrong_byte_is_noticed(message: tuple[dict[str, str], bytes], data: st.DataObject) -> None:
    encoded = bytearray(encode_message(*message))
    # not in the lengths: a longer message is merely one that has not all arrived
    place = data.draw(st.integers(min_value=8, max_value=len(encoded) - 1))
    encoded[place] ^= 1
    with pytest.raises(ChecksumMismatch):
        read_messages(bytes(encoded))


def test_an_event_carries_its_type_and_json() -> None:
    [(headers, payload)] = read_messages(encode_event("messageStop", {"stopReason": "end_turn"}))
    assert headers == {":event-type": "messageStop", ":content-type": "application/json", ":message-type": "event"}
    assert json.loads(payload) == {"stopReason": "end_turn"}


def test_an_exception_is_no_event() -> None:
    [(headers, payload)] = read_messages(encode_exception("throttlingException", "slow down"))
    assert headers[":message-type"] == "exception"
    assert headers[":exception-type"] == "throttlingException"
    assert json.loads(payload) == {"message": "slow down"}


@pytest.mark.parametrize(("name", "value"), [("", "x"), ("n" * 256, "x"), ("n", "x" * 32_768)])
def test_a_header_that_does_not_fit_is_an_error(name: str, value: str) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        encode_message({name: value})
