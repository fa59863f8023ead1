"""lambdas/template.yaml against the code: the table, the queues, the functions, and what each part may do."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from connectgenai.wire.answering import AnswerDesk
from connectgenai.wire.config import EXAMPLES, LambdaConfig, aws_client
from connectgenai.wire.flow import Reply
from connectgenai.wire.items import TopicItem
from connectgenai.wire.question import identify_question
from connectgenai.wire.store import AnswerStore
from connectgenai.wire.table import TABLE, TTL_ATTRIBUTE
from connectgenai.wire.waiting import policies_to_json
from lambdas.build import OUT, RUNTIME, find_sources
from lambdas.desk import TRIES, make_desk
from local.provision import DEAD_LETTERS, MAX_RECEIVES, QUEUES
from tests.aws import Aws
from tests.wire.conftest import POLICY

FILE = Path(__file__).resolve().parents[2] / "lambdas" / "template.yaml"
PSEUDO = {"AWS::AccountId", "AWS::NoValue"}


class Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms."""


def read_short_form(loader: Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    """`!GetAtt A.B` as {"GetAtt": "A.B"}."""
    if isinstance(node, yaml.ScalarNode):
        return {suffix: loader.construct_scalar(node)}
    assert isinstance(node, yaml.SequenceNode)
    return {suffix: loader.construct_sequence(node, deep=True)}


Loader.add_multi_constructor("!", read_short_form)
TEMPLATE: dict[str, Any] = yaml.load(FILE.read_text(), Loader)
RESOURCES: dict[str, dict[str, Any]] = TEMPLATE["Resources"]


def properties(name: str) -> dict[str, Any]:
    found: dict[str, Any] = RESOURCES[name]["Properties"]
    return found


def find_all(kind: str) -> dict[str, dict[str, Any]]:
    return {name: resource["Properties"] for name, resource in RESOURCES.items() if resource["Type"] == kind}


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


# -- as a template


def walk(value: Any) -> Iterator[tuple[str, Any]]:
    """Every (key, value) anywhere in the template."""
    for key, inner in value.items() if isinstance(value, dict) else (("", inner) for inner in as_list(value)):
        yield key, inner
        if isinstance(inner, dict | list):
            yield from walk(inner)


def test_every_reference_leads_somewhere() -> None:
    known = set(RESOURCES) | set(TEMPLATE["Parameters"]) | PSEUDO
    for key, value in walk({name: TEMPLATE[name] for name in ("Globals", "Resources", "Outputs", "Conditions")}):
        names = {
            "Ref": lambda text: [text if text in PSEUDO else text.partition(".")[0]],
            "GetAtt": lambda text: [text.partition(".")[0]],
            "Sub": lambda text: [name.partition(".")[0] for name in re.findall(r"\$\{([^}]+)\}", text)],
        }.get(key, lambda _: [])(value)
        assert set(names) <= known, (key, value)


def test_no_alias_is_used_for_cloudformation_knows_none() -> None:
    assert not [event for event in yaml.parse(FILE.read_text(), yaml.SafeLoader) if isinstance(event, yaml.AliasEvent)]


@pytest.mark.skipif(importlib.util.find_spec("cfnlint") is None, reason="cfn-lint is not installed")
def test_cfn_lint_has_nothing_to_say() -> None:
    done = subprocess.run([sys.executable, "-m", "cfnlint", str(FILE)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


# -- the table and the queues


def test_the_table_is_the_one_that_the_code_expects() -> None:
    table = properties("Table")
    assert {name: table[name] for name in TABLE} == TABLE
    assert table["TimeToLiveSpecification"] == {"AttributeName": TTL_ATTRIBUTE, "Enabled": True}


def test_the_table_cannot_be_lost() -> None:
    table = properties("Table")
    assert RESOURCES["Table"]["DeletionPolicy"] == RESOURCES["Table"]["UpdateReplacePolicy"] == "Retain"
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["DeletionProtectionEnabled"] is True
    assert table["SSESpecification"] == {"SSEEnabled": True}


def test_the_queues_are_those_of_the_demonstration() -> None:
    made = {queue["QueueName"]: queue for queue in find_all("AWS::SQS::Queue").values()}
    assert set(made) == {shape.name for shape in (*QUEUES, DEAD_LETTERS)}
    for shape in (*QUEUES, DEAD_LETTERS):
        queue = made[shape.name]
        assert queue["VisibilityTimeout"] == shape.visibility_seconds
        assert queue["MessageRetentionPeriod"] == shape.retention_seconds
        assert queue["SqsManagedSseEnabled"] is True


def test_what_fails_again_and_again_goes_to_the_dead_letters() -> None:
    for name, queue in find_all("AWS::SQS::Queue").items():
        wanted = {"deadLetterTargetArn": {"GetAtt": "DeadLetterQueue.Arn"}, "maxReceiveCount": MAX_RECEIVES}
        assert queue.get("RedrivePolicy") == (None if name == "DeadLetterQueue" else wanted)


# -- the functions


@pytest.mark.parametrize("part", ["producer", "consumer"])
def test_a_function_is_the_one_that_flows_call_and_the_zip_holds(part: str) -> None:
    function = properties(f"{part.title()}Function")
    assert function["FunctionName"] == f"connectgenai-{part}"
    module, _, name = function["Handler"].rpartition(".")
    assert name == "handler"
    source = Path(module.replace(".", "/")).with_suffix(".py")
    assert source in set(find_sources())
    assert "def handler(" in (FILE.parents[1] / source).read_text()


def test_the_functions_run_as_they_are_tested() -> None:
    common = TEMPLATE["Globals"]["Function"]
    assert common["Runtime"] == f"python{RUNTIME[0]}.{RUNTIME[1]}"
    assert common["MemorySize"] == 256
    assert (FILE.parent / common["CodeUri"]).resolve() == OUT
    assert properties("ProducerFunction")["Timeout"] == 8
    assert properties("ConsumerFunction")["Timeout"] == {"Ref": "ConsumerTimeoutSeconds"}
    assert TEMPLATE["Parameters"]["ConsumerTimeoutSeconds"]["Default"] == 8


def test_the_functions_get_every_variable_that_they_read_and_no_other() -> None:
    given = set(TEMPLATE["Globals"]["Function"]["Environment"]["Variables"])
    LambdaConfig.from_environment({name: EXAMPLES[name] for name in given})
    for name in given:
        with pytest.raises(Exception, match=name):
            LambdaConfig.from_environment({other: EXAMPLES[other] for other in given - {name}})


def test_the_callers_keys_stand_nowhere_but_in_the_secrets_manager() -> None:
    keys = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]["CONNECTGENAI_CALLER_KEYS"]
    assert keys == {"Sub": "{{resolve:secretsmanager:${CallerKeysSecretArn}:SecretString}}"}


@pytest.mark.parametrize("part", ["Producer", "Consumer"])
def test_only_this_connect_instance_may_invoke_and_only_the_live_alias(part: str) -> None:
    assert properties(f"{part}Permission") == {
        "Action": "lambda:InvokeFunction",
        "FunctionName": {"Ref": f"{part}Function.Alias"},
        "Principal": "connect.amazonaws.com",
        "SourceAccount": {"Ref": "AWS::AccountId"},
        "SourceArn": {"Ref": "ConnectInstanceArn"},
    }
    assert TEMPLATE["Globals"]["Function"]["AutoPublishAlias"] == "live"
    assert properties(f"{part}Function")["AutoPublishAliasAllProperties"] is True
    assert properties(f"{part}Association")["IntegrationArn"] == {"Ref": f"{part}Function.Alias"}
    assert RESOURCES[f"{part}Association"]["DependsOn"] == f"{part}Permission"


def test_the_instances_arn_is_checked() -> None:
    pattern = TEMPLATE["Parameters"]["ConnectInstanceArn"]["AllowedPattern"]
    good = "arn:aws:connect:eu-central-1:111122223333:instance/12345678-1234-1234-1234-123456789012"
    assert re.fullmatch(pattern, good)
    assert not re.fullmatch(pattern, good.partition("instance/")[2])


# -- who may do what


def find_statements(resource: str) -> list[dict[str, Any]]:
    found = properties(resource)
    documents = [policy["PolicyDocument"] for policy in found.get("Policies", [])] or [found["PolicyDocument"]]
    return [statement for document in documents for statement in document["Statement"]]


def find_actions(resource: str) -> set[str]:
    return {action for statement in find_statements(resource) for action in as_list(statement["Action"])}


PRINCIPALS = ["ProducerRole", "ConsumerRole", "WorkerPolicy", "SitePolicy"]


@pytest.mark.parametrize("resource", PRINCIPALS)
def test_nothing_is_granted_wholesale(resource: str) -> None:
    for statement in find_statements(resource):
        assert statement["Effect"] == "Allow"
        assert not [action for action in as_list(statement["Action"]) if "*" in action]
        assert "*" not in as_list(statement["Resource"])


@pytest.mark.parametrize("resource", PRINCIPALS)
def test_nobody_may_delete_an_item_for_tombstones_must_stay(resource: str) -> None:
    assert not find_actions(resource) & {"dynamodb:DeleteItem", "dynamodb:BatchWriteItem", "dynamodb:DeleteTable"}


def test_the_roles_are_the_lambdas_alone() -> None:
    for role in find_all("AWS::IAM::Role").values():
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Principal"] == {"Service": "lambda.amazonaws.com"}


def find_table_operations() -> set[str]:
    """Every operation of DynamoDB that the wire uses, as IAM names it."""
    source = (FILE.parents[1] / "connectgenai" / "wire" / "table.py").read_text()
    names = re.findall(r'_call\(\s*"(\w+)"', source)
    return {"dynamodb:" + "".join(word.title() for word in name.split("_")) for name in names}


def test_every_operation_on_the_table_is_granted_to_someone_and_no_other() -> None:
    granted = {action for resource in PRINCIPALS for action in find_actions(resource) if action.startswith("dynamodb:")}
    assert granted == find_table_operations()


class Trace(set[str]):
    """What a desk's clients have called, as IAM names it."""

    def watch(self, service: str, client: Any) -> None:
        client.meta.events.register(f"before-call.{service}", self.note)

    def note(self, model: Any, **_: Any) -> None:
        self.add(f"{model.service_model.service_name}:{model.name}")


@pytest.fixture
def traced(provisioned: Aws) -> tuple[AnswerDesk, Trace]:
    """A desk as the Lambdas make it, and what it has called so far."""
    desk, trace = make_desk(), Trace()
    trace.watch("dynamodb", aws_client("dynamodb", **TRIES))
    trace.watch("sqs", aws_client("sqs", **TRIES))
    return desk, trace


@pytest.fixture
def store(provisioned: Aws) -> AnswerStore:
    """The same table through a client that nobody watches, with a topic in it."""
    store = AnswerStore(provisioned.dynamodb, table=provisioned.table)
    topic = TopicItem(name="faq", sharing="everyone", policies=policies_to_json({"en-US": POLICY}))
    store.publish_topic(topic, now_ms=1, is_stale=True)
    return store


def event(**parameters: str) -> dict[str, Any]:
    contact = {"ContactId": "c1", "Channel": "VOICE", "LanguageCode": "en-US"}
    return {"Details": {"ContactData": contact, "Parameters": parameters}}


def poll(desk: AnswerDesk, last: Reply) -> Reply:
    return desk.poll(event(ticket=last.ticket, cursor=last.cursor, budget="0.3"))


def publish(store: AnswerStore, question: str, *chunks: str) -> None:
    asked = identify_question(question, topic="faq", language="en-US", sharing="everyone", caller="", contact_id="")
    now = time.time_ns() // 1_000_000
    store.publish(asked, chunks=chunks, seen_version=0, revision=1, ttl_seconds=60, now_ms=now)


def test_the_producer_may_do_what_it_does_and_nothing_else(
    traced: tuple[AnswerDesk, Trace], store: AnswerStore
) -> None:
    desk, trace = traced
    publish(store, "Do you sell lamps?", "Yes.")
    questions = ("Do you sell lamps?", "Do you sell lamps?", "Do you sell chairs?", "Do you sell chairs?")
    sources = [desk.ask(event(topic="faq", question=question)).source for question in questions]
    assert sources == ["curated", "curated", "", ""]
    logging = {"logs:CreateLogStream", "logs:PutLogEvents"}
    assert find_actions("ProducerRole") == trace | logging


def test_the_consumer_may_do_what_it_does_and_nothing_else(
    traced: tuple[AnswerDesk, Trace], store: AnswerStore
) -> None:
    desk, trace = traced
    publish(store, "Do you sell lamps?", "Yes.", "Many.")
    hit = desk.ask(event(topic="faq", question="Do you sell lamps?"))
    asked = desk.ask(event(topic="faq", question="Do you sell chairs?"))
    assert (hit.status, asked.status) == ("206", "202")
    trace.clear()
    late = replace(desk, now_ms=lambda: time.time_ns() // 1_000_000 + 10_000)
    assert poll(late, asked).status == "202"
    assert "sqs:SendMessage" in trace, "a request that nobody works on is sent again"
    restart_after_withdrawal(desk, store, hit)
    logging = {"logs:CreateLogStream", "logs:PutLogEvents"}
    assert find_actions("ConsumerRole") == trace | logging


def restart_after_withdrawal(desk: AnswerDesk, store: AnswerStore, hit: Reply) -> None:
    """The answer is withdrawn under a caller who has heard a part of it, and another takes its place."""
    key, now = hit.ticket.rpartition(":")[0], time.time_ns() // 1_000_000
    store.invalidate(key, reason="wrong", now_ms=now)
    again = poll(desk, hit)
    started = store.start(key, epoch=int(again.ticket.rpartition(":")[2]), token="t" * 12, revision=1, now_ms=now)
    assert started
    store.append(key, epoch=started.epoch, token="t" * 12, chunk="No.", index=0, now_ms=now)
    assert poll(desk, again).text.endswith("No.")


def test_invoking_a_model_is_for_the_workers_alone_and_for_named_models() -> None:
    for resource in PRINCIPALS:
        for statement in find_statements(resource):
            if any(action.startswith("bedrock:") for action in as_list(statement["Action"])):
                assert (resource, statement["Resource"]) == ("WorkerPolicy", {"Ref": "ModelArns"})
    assert "Default" not in TEMPLATE["Parameters"]["ModelArns"]


# -- the bucket


def test_the_bucket_is_private_encrypted_and_kept() -> None:
    bucket = properties("Bucket")
    assert RESOURCES["Bucket"]["DeletionPolicy"] == RESOURCES["Bucket"]["UpdateReplacePolicy"] == "Retain"
    assert all(bucket["PublicAccessBlockConfiguration"].values())
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}


def test_the_bucket_allows_connect_to_play_sounds_and_nothing_more() -> None:
    deny, *allow = properties("BucketPolicy")["PolicyDocument"]["Statement"]
    assert (deny["Effect"], deny["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    for statement in allow:
        assert statement["Principal"] == {"Service": "connect.amazonaws.com"}
        assert statement["Condition"]["ArnEquals"] == {"aws:SourceArn": {"Ref": "ConnectInstanceArn"}}
        assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    assert {statement["Action"] for statement in allow} == {"s3:GetObject", "s3:ListBucket"}
    assert allow[0]["Resource"] == {"Sub": "${Bucket.Arn}/sounds/*"}


def test_the_code_keeps_files_only_where_they_may_be_kept() -> None:
    sources = "".join(path.read_text() for path in (FILE.parents[1] / "cache_admin").rglob("*.py"))
    folders = {folder.partition("/")[0] for folder in re.findall(r'(?:folder|upload_to)="([\w/]+)"', sources)}
    assert folders == {"documents", "sounds", "imports"}


# -- alarms and outputs


def test_every_alarm_tells_somebody_when_there_is_somebody() -> None:
    alarms = find_all("AWS::CloudWatch::Alarm")
    told = {"If": ["HasAlarmTopic", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]}
    for name, alarm in alarms.items():
        assert alarm["AlarmActions"] == alarm["OKActions"] == told, name
        assert alarm["AlarmDescription"], name
        assert alarm["TreatMissingData"] == "notBreaching", name


def test_a_single_dead_letter_raises_the_alarm() -> None:
    alarm = properties("DeadLettersAlarm")
    assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": {"GetAtt": "DeadLetterQueue.QueueName"}}]
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (0, "GreaterThanThreshold")


def test_a_question_is_called_old_only_when_no_generation_can_take_so_long() -> None:
    settings = (FILE.parents[1] / "connectgenai" / "settings.py").read_text()
    budget = re.search(r'"CONNECTGENAI_MODEL_BUDGET_SECONDS", default=(\d+)', settings)
    assert budget
    assert properties("LiveAgeAlarm")["MetricName"] == "ApproximateAgeOfOldestMessage"
    assert int(budget[1]) < properties("LiveAgeAlarm")["Threshold"] <= 2 * int(budget[1])


def test_the_outputs_are_the_environment_of_the_site_and_the_workers() -> None:
    described = {output["Description"] for output in TEMPLATE["Outputs"].values()}
    assert {name for name in described if name.startswith("CONNECTGENAI_")} == set(EXAMPLES) - {
        "CONNECTGENAI_CALLER_KEYS"
    }
