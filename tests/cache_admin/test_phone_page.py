"""The phone's page and its script's requests: who may, what is refused, and which functions a flow reaches."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from cache_admin.models import PhoneCall, Topic
from cache_admin.phone import placing
from cache_admin.phone.calls import Running, keep_in_step
from cache_admin.phone.faults import FAULTS, find_control_url, switch_on
from cache_admin.phone.lambdas import allow_functions, find_sound, measure_sound
from connectgenai.wire.config import aws_client
from connectgenai.wire.request import LIVE_QUEUE
from flows.lambda_phone import LambdaPhone
from flows.language import Action, Flow
from flows.runner.instance import UNKNOWN_AUDIO_SECONDS
from local.bedrock.server import BedrockServer, start_server
from tests.aws import Aws
from tests.cache_admin.conftest import login
from tests.flows.building import END, call, make_flow, say

PHONE = "/admin/cache_admin/phonecall/"
FLOWS = "/admin/cache_admin/uploadedflow/"
WISH = {"flow": "ours:poll", "topic": "faq", "language": "en-US", "channel": "VOICE", "caller": "+15550123",
        "question": "Are you open?", "speed": "20", "fault": "", "attributes": "", "agent_after": ""}  # fmt: skip


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Running]]:
    """The calls that were begun: they are followed by the test, on its own connection to the database."""
    found: list[Running] = []
    monkeypatch.setattr(placing, "run_beside", found.append)
    yield found
    for running in found:
        running.undo.close()


@pytest.fixture
def bedrock(provisioned: Aws, monkeypatch: pytest.MonkeyPatch) -> Iterator[BedrockServer]:
    """The local Bedrock endpoint, configured as the product's."""
    with start_server() as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", server.url)
        aws_client.cache_clear()
        yield server


def place(client: Client, **changed: str) -> Any:
    return client.post(f"{PHONE}begin/", {**WISH, **changed})


@pytest.mark.parametrize("url", [PHONE, FLOWS, f"{FLOWS}add/", f"{FLOWS}export/"])
def test_each_page_keeps_to_the_content_security_policy_and_needs_a_login(
    supervisor: Client, topic: Topic, url: str
) -> None:
    page = supervisor.get(url)
    unsafe = r"<script(?![^>]*\bsrc=)[^>]*>|<style|\sstyle=|\son[a-z]+=\"|https?://(?!www\.w3\.org)"
    assert (page.status_code, re.findall(unsafe, page.content.decode())) == (200, [])
    assert "unsafe" not in page["Content-Security-Policy"]
    assert Client().get(url)["Location"].startswith("/admin/login/")


def test_the_page_offers_flows_topics_and_languages(supervisor: Client, topic: Topic) -> None:
    page = supervisor.get(f"{PHONE}?topic=faq&flow=ours:queue&question=Who%20%3Cb%3E").content.decode()
    assert '<option value="faq" data-languages="en-US" selected>' in page
    assert '<option value="ours:queue" selected>' in page
    assert ">Who &lt;b&gt;</textarea>" in page


def test_faults_behind_the_lambdas_are_shut_off_with_the_reason_where_bedrock_is_real(
    supervisor: Client, topic: Topic
) -> None:
    page = supervisor.get(PHONE).content.decode()
    assert '<option value="slow" disabled>' in page
    assert '<option value="worker" disabled>' in page
    assert '<option value="lambda-slow">' in page
    assert "on a local stack only" in page


def test_they_can_be_chosen_where_it_is_played(supervisor: Client, topic: Topic, bedrock: BedrockServer) -> None:
    page = supervisor.get(PHONE).content.decode()
    assert '<option value="slow">' in page
    assert "on a local stack only" not in page


def test_nobody_calls_without_the_right_to(client: Client, topic: Topic) -> None:
    login(client, "view_topic", "view_call")
    assert client.get(PHONE).status_code == 403
    assert place(client).status_code == 403
    assert client.get(f"{PHONE}sound/?uri=x").status_code == 403
    assert "phonecall" not in client.get("/admin/").content.decode()
    login(client, "add_phonecall")
    assert client.get(PHONE).status_code == 200
    assert PHONE in client.get("/admin/").content.decode()


def test_a_call_needs_the_token_of_the_page(topic: Topic) -> None:
    strict = Client(enforce_csrf_checks=True)
    login(strict, "add_phonecall")
    assert place(strict).status_code == 403
    assert PhoneCall.objects.count() == 0


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"question": " "}, "question"),
        ({"question": "x" * 1001}, "question"),
        ({"caller": "0043/1"}, "caller"),
        ({"topic": "none"}, "topic"),
        ({"language": "fr-FR"}, "__all__"),
        ({"flow": "ours:magic"}, "flow"),
        ({"flow": "uploaded:999"}, "flow"),
        ({"speed": "1000"}, "speed"),
        ({"fault": "fire"}, "fault"),
        ({"attributes": "no equals sign"}, "attributes"),
        ({"agent_after": "-3"}, "agent_after"),
    ],
)
def test_a_wrong_wish_is_refused_at_its_field(
    supervisor: Client, topic: Topic, begun: list[Running], changed: dict[str, str], field: str
) -> None:
    response = place(supervisor, **changed)
    assert response.status_code == 400
    assert list(response.json()["errors"]) == [field]
    assert (begun, PhoneCall.objects.count()) == ([], 0)


def test_a_call_is_the_callers_own_to_follow_and_to_end(supervisor: Client, topic: Topic, begun: list[Running]) -> None:
    links = place(supervisor).json()
    assert supervisor.get(links["events"]).json() == {"events": [], "seconds": 0.0, "over": False}
    assert supervisor.post(links["signs"], {"kind": "key", "text": "5"}).status_code == 200
    assert supervisor.post(links["signs"], {"kind": "key", "text": "A"}).status_code == 400
    assert supervisor.post(links["signs"], {"kind": "run", "text": "5"}).status_code == 400
    assert supervisor.get(links["events"] + "?since=-1").status_code == 404
    stranger = Client()
    stranger.force_login(User.objects.create_superuser("bob"))
    assert stranger.get(links["events"]).status_code == 404
    assert stranger.post(links["hang_up"]).status_code == 404
    assert not PhoneCall.objects.get().has_hung_up
    assert supervisor.post(links["hang_up"]).status_code == 200
    assert PhoneCall.objects.get().has_hung_up


def test_a_third_call_at_once_is_refused(supervisor: Client, topic: Topic, begun: list[Running]) -> None:
    assert [place(supervisor).status_code for _ in range(3)] == [200, 200, 409]


def test_the_flow_is_told_who_asks_what(supervisor: Client, topic: Topic, begun: list[Running]) -> None:
    heard = make_flow(say("Hello", "Bye", Text="$.Attributes.question / $.Attributes.colour / $.LanguageCode"),
                      say("Bye", "End", Text="$.CustomerEndpoint.Address"), END)  # fmt: skip
    flow = upload(supervisor, heard.to_json())
    place(supervisor, flow=flow, attributes="colour = dark = blue\n\n")
    told = play(begun[0])
    assert [event["text"] for event in told if event["kind"] == "prompt"] == [
        "Are you open? / dark = blue / en-US",
        "+15550123",
    ]


def upload(client: Client, content: str, **fields: str) -> str:
    file = SimpleUploadedFile("flow.json", content.encode())
    response = client.post(f"{FLOWS}add/", {"file": file, **fields})
    return f"uploaded:{response['Location'].split('/')[-3]}"


def play(running: Running) -> list[dict[str, Any]]:
    """The events of a call that was begun, to its end."""
    running.live.start()
    keep_in_step(running)
    return running.live.events_since()


def test_a_flow_of_ones_own_may_do_without_a_question_but_not_with_a_fault_of_the_model(
    supervisor: Client, topic: Topic, begun: list[Running]
) -> None:
    flow = upload(supervisor, make_flow(END).to_json())
    assert place(supervisor, flow=flow, question="").status_code == 200
    refused = place(supervisor, flow=flow, question="", fault="slow")
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["question"])


def test_what_a_flow_says_is_told_even_if_no_database_takes_it(
    supervisor: Client, topic: Topic, begun: list[Running]
) -> None:
    heard = make_flow(say("Hello", "End", Text="A\x00B \ud83d C"), END)
    place(supervisor, flow=upload(supervisor, heard.to_json()))
    play(begun[0])
    told = supervisor.get(f"{PHONE}{begun[0].row.pk}/events/").json()["events"]
    assert [event["text"] for event in told if event["kind"] == "prompt"] == ["AB ? C"]


def test_an_uploaded_flow_reaches_no_function_but_ours(supervisor: Client, topic: Topic, begun: list[Running]) -> None:
    flow = upload(supervisor, make_flow(call("payroll", "End"), END).to_json())
    place(supervisor, flow=flow)
    failed = [event for event in play(begun[0]) if event["kind"] == "lambda"]
    assert [(event["name"], event["status"]) for event in failed] == [("payroll", "failed")]
    assert "may not invoke 'payroll'" in failed[0]["text"]


def test_a_flow_finds_the_modules_that_were_uploaded(supervisor: Client, topic: Topic, begun: list[Running]) -> None:
    back = Action.make("Back", "EndFlowModuleExecution")
    module = Flow.make([say("Greet", "Back", Text="From the module."), back], start="Greet", settings={})
    upload(
        supervisor,
        module.to_json(),
        name="Greeting",
        identifier="arn:aws:connect:eu-west-1:1:instance/i/flow-module/m-1",
    )
    invoke = Action.make("Go", "InvokeFlowModule", parameters={"FlowModuleId": "m-1"}, next_action="End",
                         errors=[("NoMatchingError", "End")])  # fmt: skip
    place(supervisor, flow=upload(supervisor, make_flow(invoke, END).to_json()))
    assert [event["text"] for event in play(begun[0]) if event["kind"] == "prompt"] == ["From the module."]


def test_whatever_account_a_flow_names_ours_is_invoked_by_name() -> None:
    invoked: list[str] = []

    class Phone(LambdaPhone):
        def invoke(self, function: str, event: dict[str, Any]) -> dict[str, str]:
            invoked.append(function)
            return {}

    functions = allow_functions(Phone(None))
    functions("arn:aws:lambda:eu-west-1:999999999999:function:connectgenai-producer:evil", {})
    assert invoked == ["connectgenai-producer"]
    with pytest.raises(LookupError, match="may not invoke"):
        functions("arn:aws:lambda:eu-west-1:999999999999:function:connectgenai-producer-2", {})


# -- sounds


def test_our_own_sounds_are_played_and_nothing_else_of_the_bucket(supervisor: Client, site: Aws) -> None:
    default_storage.save("sounds/x/comfort.wav", ContentFile(b"RIFF...."))
    default_storage.save("documents/x/secret.txt", ContentFile(b"secret"))

    def get(uri: str) -> Any:
        return supervisor.get(f"{PHONE}sound/", {"uri": uri})

    played = get(f"s3://{site.bucket}/sounds/x/comfort.wav")
    assert b"".join(played.streaming_content) == b"RIFF...."
    assert played["Content-Type"].startswith("audio/")
    for uri in ("documents/x/secret.txt", "sounds/../documents/x/secret.txt", "sounds/x/none.wav", ""):
        assert get(f"s3://{site.bucket}/{uri}").status_code == 404
    assert get("s3://other/sounds/x/comfort.wav").status_code == 404
    assert get("https://example.com/sounds/x.wav").status_code == 404


def test_a_recording_that_is_not_ours_is_not_fetched_to_be_measured(settings: Any) -> None:
    settings.BUCKET = "ours"
    phone = LambdaPhone(None)  # without S3: fetching would fail
    assert measure_sound(phone, "s3://theirs/sounds/long.wav") == UNKNOWN_AUDIO_SECONDS
    assert find_sound("s3://ours/sounds/a.wav") == "sounds/a.wav"


# -- faults


def read_faults(server: BedrockServer) -> list[str]:
    return [fault.kind for fault in server.state.faults._faults]


def test_a_fault_of_the_model_holds_for_the_call_and_its_question_only(bedrock: BedrockServer) -> None:
    with ExitStack() as undo:
        switch_on(FAULTS["throttled"], question="Are  you open?", undo=undo)
        assert read_faults(bedrock) == ["throttle"]
        pick = bedrock.state.faults.pick
        assert pick(operation="converse-stream", question="another question") is None
        assert pick(operation="converse-stream", question="are you open?") is not None
    assert read_faults(bedrock) == []


def test_without_a_worker_the_queue_holds_messages_until_the_call_is_over(
    bedrock: BedrockServer, provisioned: Aws
) -> None:
    def read_delay() -> str:
        url = provisioned.queue_urls[LIVE_QUEUE]
        reply = provisioned.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["DelaySeconds"])
        return str(reply["Attributes"]["DelaySeconds"])

    with ExitStack() as undo:
        switch_on(FAULTS["worker"], question="x", undo=undo)
        assert read_delay() == "20"
    assert read_delay() == "0"


def test_no_queue_is_touched_where_bedrock_is_real(provisioned: Aws) -> None:
    assert find_control_url() == ""
    for name in ("worker", "slow"):
        with ExitStack() as undo, pytest.raises(OSError, match=r"control API|local one"):
            switch_on(FAULTS[name], question="x", undo=undo)


def test_a_fault_that_cannot_be_had_is_no_call(supervisor: Client, topic: Topic, begun: list[Running]) -> None:
    response = place(supervisor, fault="slow")
    assert (response.status_code, list(response.json()["errors"])) == (503, ["fault"])
    assert (begun, PhoneCall.objects.count()) == ([], 0)


def test_a_consumer_that_fails_does_so_five_times() -> None:
    spoil = FAULTS["lambda-fails"].spoil
    assert spoil is not None
    invoke = spoil(lambda function, event: function)
    assert invoke("connectgenai-producer", {}) == "connectgenai-producer"
    for _ in range(5):
        with pytest.raises(RuntimeError):
            invoke("connectgenai-consumer", {})
    assert invoke("connectgenai-consumer", {}) == "connectgenai-consumer"
