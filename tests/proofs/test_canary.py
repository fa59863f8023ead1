"""Words and numbers go through the whole product, whatever goes wrong, and no line of any process and no metric holds them.

Ids do: from the Producer to the mirror every hop names the contact or the answer.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from connectgenai.wire.items import TopicItem
from connectgenai.wire.request import LIVE_QUEUE
from connectgenai.wire.store import AnswerStore
from connectgenai.wire.waiting import WaitPolicy, policies_to_json
from local.bedrock.prompt import Prompt
from local.emulator import Emulator
from tests.aws import make_aws
from tests.jobs import poison
from tests.jobs.workers import send, wait_until
from tests.proofs.browser import Browser
from tests.proofs.pipeline import Pipeline, running_pipeline

CANARIES = {
    "question": "quokkaquestion",
    "digits": "88429017",
    "caller": "5550187264",
    "answer": "quokkaanswer",
    "document": "quokkadocument",
    "instructions": "quokkainstruction",
    "message": "quokkamessage",
    "poison": poison.CANARY,
    "search": "quokkasearch",
    "edit": "quokkaedit",
}
NUMBER = f"+1{CANARIES['caller']}"
FAULTS = ("internal", "guardrail", "max_tokens", "empty", "broken_frame", "exception_event")
TOPICS = f"""
version: 1
wait_policies:
  - {{name: calm, prompts: [One moment please.], hold_seconds: 1.0, max_wait_seconds: 60,
     interval_seconds: 3.0, first_prompt_after_seconds: 2.0}}
topics:
  - name: faq
    title: Questions
    instructions: Say {CANARIES["instructions"]}.
    model_id: local.extractive-v1
    sharing: everyone
    documents: [handbook.md]
    languages: {{en-US: calm}}
"""


def find_canaries(text: str) -> set[str]:
    """Which of them the text holds, spoken digit by digit or not."""
    plain = re.sub(r"(?<=\d)[ -](?=\d)", "", text.lower())
    return {name for name, canary in CANARIES.items() if canary in plain}


@dataclass(frozen=True)
class Story:
    """What has happened."""

    pipeline: Pipeline
    contact_id: str
    key: str
    logs: dict[str, str]
    metrics: dict[str, str]


@pytest.fixture(scope="module")
def story(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    with running_pipeline(make_aws(emulator.url), tmp_path_factory.mktemp("canary"), model=recite) as pipeline:
        publish(pipeline)
        contact_id, key = str(uuid.uuid4()), ""
        key = call(pipeline, f"When does the {CANARIES['question']} open?", contact_id)
        call(pipeline, f"When does the {CANARIES['question']} open?")  # a hit
        call(pipeline, f"My account is {' '.join(CANARIES['digits'])}, what do I owe?")
        go_wrong(pipeline)
        poison_queue(pipeline)
        pipeline.wait_for("housekeeping", "mirrored", kind="answer", key=key)
        pipeline.wait_for("housekeeping", "mirrored", kind="call", contact_id=contact_id)
        work_in_admin(pipeline, key)
        yield Story(pipeline, contact_id, key, pipeline.read_logs(), pipeline.read_metrics())


def recite(prompt: Prompt) -> str:
    return " ".join([f"The {CANARIES['answer']} is this.", *(document.text for document in prompt.documents)])


def publish(pipeline: Pipeline) -> None:
    """One topic as supervisors make them, and one that no worker can answer of, in whose error its words stand."""
    folder = pipeline.logs.parent
    (folder / "handbook.md").write_text(f"The {CANARIES['document']} opens at nine.")
    (folder / "topics.yaml").write_text(TOPICS)
    pipeline.manage("topics", "import", str(folder / "topics.yaml"))
    broken = TopicItem(
        name="broken",
        sharing="everyone",
        policies=policies_to_json({"en-US": WaitPolicy(hold=1.0)}),
        model_id="local.extractive-v1",
        temperature=f"not a number but {CANARIES['instructions']}",
    )
    store = AnswerStore(pipeline.aws.dynamodb, table=pipeline.aws.table)
    store.publish_topic(broken, now_ms=1, is_stale=True)


def call(pipeline: Pipeline, question: str, contact_id: str = "", *, topic: str = "faq") -> str:
    """Asks, and polls to the end; the answer's key."""
    contact = {
        "ContactId": contact_id or str(uuid.uuid4()),
        "Channel": "VOICE",
        "LanguageCode": "en-US",
        "CustomerEndpoint": {"Address": NUMBER, "Type": "TELEPHONE_NUMBER"},
    }
    reply = pipeline.invoke("producer", contact, topic=topic, question=question)
    for _ in range(90):
        if reply["statusCode"] not in ("202", "206"):
            return reply["ticket"].rpartition(":")[0]
        reply = pipeline.invoke("consumer", contact, ticket=reply["ticket"], cursor=reply["cursor"])
    raise AssertionError("the call does not end")


def go_wrong(pipeline: Pipeline) -> None:
    """Each with a question of its own, so that each is generated."""
    for kind in FAULTS:
        pipeline.bedrock.set_faults({"kind": kind, "times": 1})
        call(pipeline, f"Is the {CANARIES['question']} open when there is {kind.replace('_', ' ')}?")
    pipeline.bedrock.set_faults(
        {"kind": "throttle", "times": 3}
    )  # then the message goes back, and a poll sends another
    call(pipeline, f"Is the {CANARIES['question']} busy?")
    call(pipeline, f"Why is the {CANARIES['question']} closed?", topic="broken")
    pipeline.invoke("producer", {}, topic=f"{CANARIES['question']} and more", question=CANARIES["question"])
    pipeline.invoke("consumer", {}, ticket=f"faq-{CANARIES['question']} and more:1")


def poison_queue(pipeline: Pipeline) -> None:
    """What is no message, and what is one with words where ids should be."""
    for body, _ in poison.POISON.values():
        send(pipeline.aws, body)
    words = f"he said {CANARIES['message']} twice"
    for request in ({"topic": words, "question": words}, {"key": words, "epoch": 1, "contact_id": words}):
        send(pipeline.aws, json.dumps({"v": 1, **request}), queue=LIVE_QUEUE)
    pipeline.wait_for("worker", "received", key="(hidden)", contact_id="(hidden)")
    wait_until(lambda: len(pipeline.read_lines("worker", "dead_letter")) >= len(poison.POISON), seconds=90)


def work_in_admin(pipeline: Pipeline, key: str) -> None:
    """A wrong login, a search, a page that is not there, and an edit."""
    pipeline.manage("ensure_supervisor", "ada", SUPERVISOR_PASSWORD="a long enough password")
    browser, answers = Browser(pipeline.site_url), "/admin/cache_admin/cachedanswer/"
    browser.post("/admin/login/", username=CANARIES["search"], password=NUMBER)
    browser.post("/admin/login/", username="ada", password="a long enough password")
    assert browser.get(f"{answers}?q={CANARIES['search']}")[0] == 200
    assert browser.get(f"/nowhere?q={CANARIES['search']}")[0] == 404
    (pk,) = set(re.findall(rf"{answers}(\d+)/change/", browser.get(f"{answers}?q=When+does")[1]))
    status, page = browser.post(f"{answers}{pk}/change/", text=f"The {CANARIES['edit']} opens at ten.")
    assert (status, page) == (302, "")
    pipeline.wait_for("site", "mirrored", key=key)


def test_every_canary_has_gone_through(story: Story) -> None:
    scanned = json.dumps(story.pipeline.aws.dynamodb.scan(TableName=story.pipeline.aws.table)["Items"])
    parked = {"message", "poison", "search", "caller"}  # never in the table; the number is there as a keyed hash only
    assert find_canaries(scanned) == set(CANARIES) - parked


@pytest.mark.parametrize("part", ["producer", "consumer", "worker", "housekeeping", "site"])
def test_no_line_of_any_process_holds_a_canary(story: Story, part: str) -> None:
    assert len(story.logs[part].splitlines()) > 3
    assert not [line for line in story.logs[part].splitlines() if find_canaries(line)]


def test_no_metric_holds_a_canary(story: Story) -> None:
    assert "connectgenai_generations_total" in story.metrics["worker"]
    assert {part: find_canaries(text) for part, text in story.metrics.items()} == {
        "worker": set(),
        "housekeeping": set(),
    }


@pytest.mark.parametrize("part", ["worker", "housekeeping", "site"])
def test_every_line_of_our_containers_is_json(story: Story, part: str) -> None:
    lines = [json.loads(line) for line in story.logs[part].splitlines()]
    assert all({"event", "level", "time"} <= set(line) for line in lines)


@pytest.mark.parametrize("name", CANARIES)
def test_a_canary_in_the_logs_would_be_found(story: Story, name: str) -> None:
    planted = story.logs["worker"] + json.dumps({"event": "planted", "said": f"yes, {CANARIES[name].upper()}."})
    assert find_canaries(planted) == {name}


def test_spoken_digits_would_be_found() -> None:
    assert find_canaries("it is 8 8 4 2 9 0 1 7") == {"digits"}
    assert find_canaries("call +1 555-018-7264") == {"caller"}


def test_one_call_can_be_followed_from_the_producer_to_the_mirror(story: Story) -> None:
    by_contact = {"contact_id": story.contact_id, "key": story.key, "epoch": 1}
    by_answer = {"key": story.key, "epoch": 1}
    hops = [
        ("producer", "asked", by_contact),
        ("producer", "queued", by_contact),
        ("worker", "received", by_contact),
        ("worker", "started", by_contact),
        ("worker", "model_replied", by_answer),
        ("worker", "generation", {**by_contact, "outcome": "answered"}),
        ("consumer", "polled", by_contact),
        ("housekeeping", "mirrored", {**by_answer, "kind": "answer"}),
        ("housekeeping", "mirrored", {**by_contact, "kind": "call"}),
    ]
    missing = [(part, event) for part, event, fields in hops if not story.pipeline.read_lines(part, event, **fields)]
    assert missing == []


def test_a_hit_is_one_line_that_carries_its_metrics(story: Story) -> None:
    (line,) = story.pipeline.read_lines("producer", outcome="hit")
    named = {metric["Name"] for found in line["_aws"]["CloudWatchMetrics"] for metric in found["Metrics"]}
    assert named == {"asks_total", "replies_total", "first_words_seconds"}
    assert len(story.pipeline.read_lines("producer", contact_id=line["contact_id"])) == 1


def test_what_callers_waited_for_is_measured_where_they_heard_it(story: Story) -> None:
    (line,) = story.pipeline.read_lines("consumer", "polled", contact_id=story.contact_id, status="200")
    assert 0 <= line["ready_to_heard_seconds"] <= line["first_words_seconds"]


@pytest.mark.parametrize(
    ("part", "sample"),
    [
        ("worker", 'connectgenai_generations_total{model="local.extractive-v1",outcome="answered"}'),
        ("worker", 'connectgenai_retries_total{reason="throttled"}'),
        ("worker", 'connectgenai_failures_total{reason="guardrail"}'),
        ("worker", 'connectgenai_failures_total{reason="worker_failed"}'),
        ("worker", 'connectgenai_output_tokens_total{model="local.extractive-v1"}'),
        ("worker", "connectgenai_queue_age_seconds_count"),
        ("worker", 'connectgenai_first_sentence_seconds_count{model="local.extractive-v1"}'),
        ("worker", 'connectgenai_dead_letters_total{reason="not_json"}'),
        ("worker", "connectgenai_slots"),
        ("housekeeping", 'connectgenai_mirror_rows_total{kind="answer"}'),
        ("housekeeping", "connectgenai_mirror_lag_seconds_count"),
    ],
)
def test_what_has_happened_was_counted(story: Story, part: str, sample: str) -> None:
    (value,) = re.findall(rf"^{re.escape(sample)} (\S+)$", story.metrics[part], re.M)
    assert float(value) > 0


def test_the_message_that_was_sent_is_the_one_that_was_received(story: Story) -> None:
    (sent,) = story.pipeline.read_lines("producer", "queued", key=story.key)
    (received,) = story.pipeline.read_lines("worker", "received", key=story.key)
    assert sent["message_id"] == received["message_id"]


def test_a_crash_is_told_by_its_kind_and_place(story: Story) -> None:
    (crash,) = [line for line in story.pipeline.read_lines("worker", "log") if line.get("error") == "ValueError"]
    assert any("connectgenai/wire/prompt.py" in frame for frame in crash["frames"])
