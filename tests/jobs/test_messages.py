"""Only our one task, or an allowed one without surprises, ever comes out of a body."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kombu.serialization import loads

from connectgenai.wire.request import GENERATE_TASK, MIRROR_TASK
from jobs.messages import PoisonError, Rules, read_message
from tests.jobs.poison import HEADERS, POISON, REQUEST, envelope

NOW = 1_800_000_000.0
TASKS = (GENERATE_TASK, MIRROR_TASK, "jobs.absent")
RULES = Rules(allowed_tasks=TASKS, silent_queues=("cgai-live",), longest_delay_seconds=900)
ABSENT = "task allowed but absent"  # only Celery knows


def read(body: str, *, queue: str = "cgai-live") -> dict[str, Any]:
    return read_message(body, message_id="the-message-id", queue=queue, rules=RULES, now_seconds=NOW)


def test_a_plain_object_becomes_our_task_under_the_message_id() -> None:
    message = read(json.dumps(REQUEST))
    assert (message["headers"]["task"], message["headers"]["id"]) == (GENERATE_TASK, "the-message-id")
    assert json.loads(message["body"]) == [[], {"request": REQUEST}, {}]


@pytest.mark.parametrize("body", [json.dumps(REQUEST), envelope()], ids=["plain", "envelope"])
def test_a_queue_decides_whether_results_are_kept(body: str) -> None:
    kept = [read(body, queue=queue)["headers"]["ignore_result"] for queue in ("cgai-live", "cgai-prewarm")]
    assert kept == [True, False]


def test_celerys_own_envelope_is_taken_in_both_of_its_forms() -> None:
    inner = base64.b64encode(b"[[], {}, {}]").decode()
    encoded = base64.b64encode(envelope(inner, properties={"body_encoding": "base64"}).encode()).decode()
    assert read(encoded)["headers"] == read(envelope())["headers"]
    assert read(encoded)["headers"]["task"] == MIRROR_TASK


def test_of_a_senders_routing_and_headers_nothing_is_left() -> None:
    elsewhere = {"delivery_info": {"exchange": "x", "routing_key": "other"}, "reply_to": "other", "delivery_tag": "t"}
    headers = {
        **HEADERS,
        "shadow": "other",
        "timelimit": [1, 1],
        "stamps": {"a": 1},
        "argsrepr": "words",
        "reply_to": "x",
    }
    message = read(envelope(properties=elsewhere, headers=headers))
    assert message["properties"] == {
        "correlation_id": "id-of-the-sender",
        "delivery_info": {"exchange": "", "routing_key": "cgai-live"},
    }
    assert "other" not in json.dumps(message)
    assert (message["headers"]["timelimit"], message["headers"]["argsrepr"]) == ([None, None], "()")


def test_a_task_may_be_put_off_only_as_long_as_its_message_is_held() -> None:
    soon = "2027-01-15T08:10:00+00:00"  # 600 s after NOW
    assert read(envelope(headers={**HEADERS, "eta": soon}))["headers"]["eta"] == soon
    with pytest.raises(PoisonError, match="too_late"):
        read(envelope(headers={**HEADERS, "eta": "2027-01-15T08:20:00+00:00"}))


@pytest.mark.parametrize("name", sorted(set(POISON) - {ABSENT}))
def test_poison_is_refused_for_its_reason(name: str) -> None:
    body, reason = POISON[name]
    with pytest.raises(PoisonError) as caught:
        read(body)
    assert caught.value.reason == reason
    assert str(caught.value) == reason  # nothing of the body


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)
_NAMES = st.sampled_from(["body", "content-type", "content-encoding", "headers", "properties", "v", "key", "epoch"])
_HEADER_NAMES = st.sampled_from(
    ["task", "id", "retries", "eta", "expires", "group", "ignore_result", "timelimit", "stamps"]
)


@settings(max_examples=400, deadline=None)
@given(
    changes=st.dictionaries(_NAMES, _JSON, max_size=3),
    headers=st.dictionaries(_HEADER_NAMES, _JSON, max_size=3),
    arguments=st.none() | _JSON,
)
def test_whatever_is_let_through_is_safe_for_celery(
    changes: dict[str, Any], headers: dict[str, Any], arguments: Any
) -> None:
    inner = "[[], {}, {}]" if arguments is None else json.dumps(arguments)
    whole = {**json.loads(envelope(inner, headers={**HEADERS, **headers})), **changes}
    _check_is_safe(json.dumps(whole))


@settings(max_examples=300, deadline=None)
@given(
    body=st.text(max_size=200)
    | _JSON.map(json.dumps)
    | st.binary(max_size=99).map(lambda b: base64.b64encode(b).decode())
)
def test_any_body_at_all_is_either_refused_or_safe(body: str) -> None:
    _check_is_safe(body)


def _check_is_safe(body: str) -> None:
    try:
        message = read(body)
    except PoisonError:
        return
    assert message["headers"]["task"] in TASKS
    args, kwargs, embed = loads(message["body"].encode(), "application/json", "utf-8", accept={"application/json"})
    assert (args, embed) == ([], {})
    assert set(kwargs) <= {"request"}
