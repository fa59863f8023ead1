"""Flows in the admin: what an upload is told, what is kept of it, and our own flows to download."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from cache_admin.models import Topic, UploadedFlow
from cache_admin.phone.uploads import MAX_BYTES
from connectgenai.wire.waiting import WaitPolicy
from flows.generate import build_flow
from flows.language import Action, Flow, parse_flow
from flows.rehearsal import EXAMPLE_ARNS
from flows.report import lint_source
from tests.cache_admin.conftest import login
from tests.flows.building import END, call, make_flow, say

LIST = "/admin/cache_admin/uploadedflow/"


def send(client: Client, content: bytes | Flow, **fields: str) -> Any:
    source = content if isinstance(content, bytes) else content.to_json().encode()
    wish = {"file": SimpleUploadedFile("my-flow.json", source), **fields}
    return client.post(f"{LIST}add/", wish, follow=True)


def read_findings(page: str) -> list[tuple[str, str]]:
    """Rule and place of every finding that a page shows."""
    rows = re.findall(r"<code>([A-Z_0-9]+)</code>(?: at <code>([^<]*)</code>)?", page)
    return [(rule, html.unescape(place)) for rule, place in rows]


def test_a_faultless_flow_is_kept_and_said_to_be(supervisor: Client) -> None:
    settings: dict[str, Any] = {"topic": "faq", "policy": WaitPolicy(), **EXAMPLE_ARNS}
    response = send(supervisor, build_flow("poll", **settings))
    row = UploadedFlow.objects.get()
    assert response.redirect_chain[-1][0] == f"{LIST}{row.pk}/change/"
    assert "Nothing: Connect should take it" in response.content.decode()
    assert (row.actions > 20, row.errors, row.warnings, row.infos) == (True, 0, 0, 0)
    assert (row.uploaded_by.username, bytes(row.content)[:1]) == ("ada", b"{")  # type: ignore[union-attr]
    assert "nothing found" in supervisor.get(LIST).content.decode()


def test_a_flow_with_faults_is_kept_and_shows_what_the_command_says(supervisor: Client) -> None:
    flow = make_flow(call("Round", "Round"), call("Away", "Nowhere"), END)
    page = send(supervisor, flow).content.decode()
    said = lint_source(flow.to_json().encode())
    assert read_findings(page) == [(found.rule, found.action) for found in said]
    assert {"DANGLING_TARGET"} < {found.rule for found in said}
    text = html.unescape(page)
    assert all(found.message in text and found.fix in text for found in said)
    row = UploadedFlow.objects.get()
    assert (row.errors, row.warnings) == tuple(sum(f.severity == s for f in said) for s in ("error", "warning"))


@pytest.mark.parametrize(
    ("content", "rule", "words"),
    [
        (b"", "NOT_JSON", "There is nothing in it."),
        (b'{"Version": ', "NOT_JSON", "line 1, column 13"),
        (b"PK\x03\x04\xff\xfe\x00", "NOT_JSON", "unpack it first"),
        (b"[1, 2]", "NOT_A_FLOW", ""),
        (b'{"modules": [], "version": "1", "start": "x"}', "LEGACY_EXPORT", ""),
        (b'{"Version": "2019-10-30", "StartAction": "a", "Actions": [{"Type": "Wait"}]}', "MALFORMED_ACTION", "Actions[0]"),
        (b" " * (MAX_BYTES + 1), "UNREADABLE_FILE", "over 4 MiB"),
        (b"[" * 100_000, "NOT_A_FLOW", "nests deeper"),
    ],
)  # fmt: skip
def test_what_is_no_flow_is_refused_with_the_place_and_the_reason(
    supervisor: Client, content: bytes, rule: str, words: str
) -> None:
    response = send(supervisor, content)
    page = html.unescape(response.content.decode())
    assert response.status_code == 200
    assert UploadedFlow.objects.count() == 0
    assert rule in page or content == b""  # Django itself refuses what is empty
    assert words in page or "The submitted file is empty." in page


def test_names_in_a_file_are_text_and_nothing_else(supervisor: Client) -> None:
    evil = "<script>alert(1)</script>"
    flow = Flow.make([Action.make(evil, "Nonsense", next_action=evil)], start=evil, metadata={"name": evil})
    page = send(supervisor, flow).content.decode() + supervisor.get(LIST).content.decode()
    assert UploadedFlow.objects.get().name == evil
    assert evil not in page
    assert html.escape(evil) in page


def test_a_name_of_ones_own_wins_and_modules_are_listed(supervisor: Client) -> None:
    module = Action.make("Check", "InvokeFlowModule", parameters={"FlowModuleId": "opening-hours"}, next_action="End",
                         errors=[("NoMatchingError", "End")])  # fmt: skip
    page = send(supervisor, make_flow(module, END), name="Reception").content.decode()
    assert (UploadedFlow.objects.get().name, UploadedFlow.objects.get().modules) == ("Reception", ["opening-hours"])
    assert "opening-hours" in page


def test_a_file_that_gives_no_name_lends_its_own(supervisor: Client) -> None:
    send(supervisor, Flow.make([END], start="End"))
    assert UploadedFlow.objects.get().name == "my-flow"


def test_an_uploaded_flow_stays_as_it_is_and_can_be_deleted(supervisor: Client) -> None:
    send(supervisor, make_flow(END))
    page = f"{LIST}{UploadedFlow.objects.get().pk}/"
    assert supervisor.post(f"{page}change/", {"name": "Other"}).status_code == 403
    assert UploadedFlow.objects.get().name != "Other"
    supervisor.post(f"{page}delete/", {"post": "yes"})
    assert UploadedFlow.objects.count() == 0


def test_whoever_may_only_look_may_not_upload(client: Client, db: None) -> None:
    login(client, "view_uploadedflow")
    assert client.get(LIST).status_code == 200
    assert send(client, make_flow(END)).status_code == 403
    assert UploadedFlow.objects.count() == 0


def test_an_upload_needs_the_token_of_the_page(db: None) -> None:
    strict = Client(enforce_csrf_checks=True)
    login(strict, "add_uploadedflow", "view_uploadedflow")
    assert send(strict, make_flow(END)).status_code == 403


def test_the_list_does_not_read_contents(supervisor: Client, django_assert_max_num_queries: Any) -> None:
    send(supervisor, make_flow(END))
    with django_assert_max_num_queries(10) as queries:
        supervisor.get(LIST)
    assert not [q for q in queries.captured_queries if '"cache_admin_uploadedflow"."content"' in q["sql"]]


# -- our own


@pytest.mark.parametrize("mode", ["poll", "native", "queue"])
@pytest.mark.parametrize("language", ["", "en-US"])
def test_our_flows_can_be_downloaded_without_a_finding(
    supervisor: Client, topic: Topic, mode: str, language: str
) -> None:
    arns = {
        "producer_arn": "arn:aws:lambda:eu-west-1:123456789012:function:acme-producer",
        "queue_arn": "arn:aws:connect:q",
    }
    wish = {"topic": "faq", "mode": mode, "language": language, **arns, "download": "Download"}
    response = supervisor.get(f"{LIST}export/", wish)
    flow = parse_flow(response.content)
    assert response["Content-Disposition"] == f'attachment; filename="faq-{mode}.json"'
    assert lint_source(response.content) == []
    assert "function:acme-consumer" in flow.to_json()


def test_a_topics_page_leads_to_its_flows_and_to_the_phone(supervisor: Client, topic: Topic) -> None:
    page = supervisor.get(f"/admin/cache_admin/topic/{topic.pk}/change/").content.decode()
    for mode in ("poll", "native", "queue"):
        link = f"{LIST}export/?topic=faq&mode={mode}"
        assert html.escape(link) in page
        form = supervisor.get(link).content.decode()
        assert '<option value="faq" selected>' in form
        assert f'<option value="{mode}" selected>' in form
        assert "What stands here is a placeholder" in form
    assert "/admin/cache_admin/phonecall/?topic=faq" in page


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"language": "fr-FR"}, "cannot be asked in fr-FR"),
        ({"queue_arn": ""}, "the ARN of the queue is missing"),
        ({"producer_arn": "arn:aws:lambda:eu-west-1:123456789012:function:ask"}, "cannot be told from the Producer's"),
        ({"topic": "nothing"}, "Select a valid choice"),
    ],
)
def test_a_flow_that_cannot_be_made_says_what_is_missing(
    supervisor: Client, topic: Topic, changed: dict[str, str], words: str
) -> None:
    wish = {"topic": "faq", "mode": "poll", "producer_arn": "arn:aws:lambda:eu-west-1:1:function:my-producer",
            "queue_arn": "arn:aws:connect:q", "download": "1", **changed}  # fmt: skip
    response = supervisor.get(f"{LIST}export/", wish)
    assert response.status_code == 400
    assert words in html.unescape(response.content.decode())


def test_whoever_may_not_see_topics_may_not_download_their_flows(client: Client, topic: Topic) -> None:
    login(client, "view_uploadedflow")
    assert client.get(f"{LIST}export/?topic=faq").status_code == 403


def test_a_file_is_the_upload_as_data(supervisor: Client) -> None:
    flow = make_flow(say("Hello", "End"), END)
    send(
        supervisor,
        json.dumps({"ContactFlow": {"Name": "x", "Type": "CUSTOMER_QUEUE", "Content": flow.to_json()}}).encode(),
    )
    row = UploadedFlow.objects.get()
    assert (row.name, row.type) == ("x", "CUSTOMER_QUEUE")
    assert parse_flow(bytes(row.content)).actions == flow.actions
