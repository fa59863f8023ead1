"""Events that no flow would send, to both Lambdas as AWS runs them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from benchmarks.proofs.calls import CONSUMER, PRODUCER
from benchmarks.proofs.trying import ANY_JSON, TEXTS, Tally, change_json, try_many
from connectgenai.wire.flow import Reply
from connectgenai.wire.items import TopicItem
from connectgenai.wire.store import AnswerStore
from connectgenai.wire.waiting import WaitPolicy, policies_to_json
from lambdas.build import build_zip
from local.lambda_service import Function, LambdaService
from local.provision import Provisioned, local_client

TOPIC = "fuzz"
KEYS = set(Reply(status="200").to_map())
STATUSES = {"200", "202", "206", "400", "408", "429", "500"}
# What is nearly a ticket, a cursor or a budget
NEARLY = ("fuzz.0:1", "fuzz:1", ":", "-.0.0.0.1.-", "-.9.9.9.9.hit", ".....", "0.1", "-1", "nan", "inf", "1e400", "٣")
MOST_BYTES = 32_768  # Connect developer guide: a Lambda's reply


def make_events(parameters: dict[str, str]) -> st.SearchStrategy[Any]:
    """Anything, and events that are right but for one part; of the caller's words and the cursor, which vary most, any."""
    contact = {"ContactId": "c1", "InitialContactId": "c0", "Channel": "VOICE", "LanguageCode": "en-US", "Queue": None,
               "CustomerEndpoint": {"Type": "TELEPHONE_NUMBER", "Address": "+15550100"}, "Attributes": {}}  # fmt: skip
    good = {"Details": {"ContactData": contact, "Parameters": parameters}, "Name": "ContactFlowEvent"}

    def with_parameter(pick: tuple[str, Any]) -> dict[str, Any]:
        return {**good, "Details": {"ContactData": contact, "Parameters": {**parameters, pick[0]: pick[1]}}}

    names = st.sampled_from(["question", "language", "caller", "ticket", "cursor", "budget"])
    return change_json(good) | st.tuples(names, TEXTS | st.sampled_from(NEARLY) | ANY_JSON).map(with_parameter)


def find_breach(payload: bytes) -> str:
    """What is wrong with a reply to the flow; "" when it keeps the contract, and says something when it ends the call."""
    reply = json.loads(payload)
    if not isinstance(reply, dict) or set(reply) != KEYS or not all(isinstance(v, str) for v in reply.values()):
        return "not the contract's map of strings"
    if reply["statusCode"] not in STATUSES or len(payload) > MOST_BYTES:
        return f"status {reply['statusCode']}, {len(payload)} bytes"
    is_end = reply["statusCode"] in ("400", "408", "429", "500")
    return "an end without a word" if is_end and not reply["text"] else ""


def fuzz_events(made: Provisioned, home: Path, *, examples: int) -> dict[str, Tally]:
    """Sends this many events to each Lambda."""
    store = AnswerStore(local_client("dynamodb", made.environment["AWS_ENDPOINT_URL"]), table=made.table)
    # a hold of nothing: these callers have no time
    policies = policies_to_json({"en-US": WaitPolicy(hold=0.0)})
    store.publish_topic(TopicItem(name=TOPIC, sharing="everyone", policies=policies), now_ms=1, is_stale=True)
    code_zip = home / "lambdas.zip"
    build_zip(code_zip)
    functions = [
        Function(name=n, handler=f"lambdas.{n.removeprefix('connectgenai-')}.handler", environment=made.environment)
        for n in (PRODUCER, CONSUMER)
    ]
    with LambdaService(functions=functions, code_zip=code_zip, log_dir=home) as service:
        asking = {"topic": TOPIC, "question": "Are you open?", "language": "en-US"}
        asked = json.loads(service.invoke(PRODUCER, json.dumps({"Details": {"Parameters": asking}}).encode()).payload)
        polling = {"ticket": asked["ticket"], "cursor": asked["cursor"], "budget": "0"}
        return {
            PRODUCER: _fuzz(service, PRODUCER, make_events(asking), examples),
            CONSUMER: _fuzz(service, CONSUMER, make_events(polling), examples),
        }


def _fuzz(service: LambdaService, name: str, events: st.SearchStrategy[Any], examples: int) -> Tally:
    tally = Tally()

    def send(event: Any) -> None:
        result = service.invoke(name, json.dumps(event).encode())
        breach = f"an exception: {result.payload[:200]!r}" if result.is_error else find_breach(result.payload)
        if breach:
            tally.count_broken(f"{breach}: {json.dumps(event)[:300]}")
        else:
            tally.count(json.loads(result.payload)["statusCode"])

    try_many(events, send, examples=examples)
    return tally
