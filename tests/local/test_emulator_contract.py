"""What we rely on in the emulator: should a new release of it break one of these, every other test would mislead."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from connectgenai.wire.request import DEAD_LETTER_QUEUE, LIVE_QUEUE, PREWARM_QUEUE
from connectgenai.wire.table import CHANGES_INDEX
from tests.aws import Aws

THREADS = 16


def update(aws: Aws, pk: str, expression: str, values: dict[str, Any], **more: Any) -> Any:
    """One update_item; values as plain strings, numbers or lists of strings."""
    return aws.dynamodb.update_item(
        TableName=aws.table,
        Key={"pk": {"S": pk}},
        UpdateExpression=expression,
        **(
            {"ExpressionAttributeValues": {f":{name}": encode(value) for name, value in values.items()}}
            if values
            else {}
        ),
        **more,
    )


def encode(value: Any) -> dict[str, Any]:
    if isinstance(value, list):
        return {"L": [encode(each) for each in value]}
    return {"N": str(value)} if isinstance(value, int) else {"S": value}


def read(aws: Aws, pk: str) -> Any:
    return aws.dynamodb.get_item(TableName=aws.table, Key={"pk": {"S": pk}}, ConsistentRead=True).get("Item")


def race(work: Any, *, threads: int = THREADS) -> list[Any]:
    """What each thread's call came to, all let loose at the same moment."""
    gate = threading.Barrier(threads)

    def run(number: int) -> Any:
        gate.wait(30)
        return work(number)

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, range(threads)))


def is_allowed(write: Any) -> bool:
    """Whether a conditional write's condition held."""
    try:
        write()
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        return False
    return True


@pytest.mark.parametrize("attempt", range(5))
def test_a_race_to_create_an_item_has_exactly_one_winner(aws: Aws, attempt: int) -> None:
    def claim(number: int) -> bool:
        return is_allowed(
            lambda: update(aws, "a", "SET winner = :n", {"n": number}, ConditionExpression="attribute_not_exists(pk)")
        )

    won = race(claim)
    assert won.count(True) == 1
    assert read(aws, "a")["winner"] == {"N": str(won.index(True))}


@pytest.mark.parametrize("attempt", range(5))
def test_a_race_to_move_an_epoch_on_has_exactly_one_winner(aws: Aws, attempt: int) -> None:
    update(aws, "a", "SET epoch = :one", {"one": 1})

    def move(number: int) -> bool:
        return is_allowed(
            lambda: update(
                aws,
                "a",
                "SET epoch = epoch + :one, winner = :n",
                {"one": 1, "n": number, "seen": 1},
                ConditionExpression="epoch = :seen",
            )
        )

    won = race(move)
    assert won.count(True) == 1
    assert read(aws, "a") == {"pk": {"S": "a"}, "epoch": {"N": "2"}, "winner": {"N": str(won.index(True))}}


def test_no_concurrent_increment_or_append_is_lost(aws: Aws) -> None:
    def add(number: int) -> None:
        for _ in range(5):
            update(
                aws,
                "a",
                "SET counted = if_not_exists(counted, :zero) + :one, parts = list_append(if_not_exists(parts, :none), :part)",
                {"zero": 0, "one": 1, "none": [], "part": [str(number)]},
            )

    race(add)
    item = read(aws, "a")
    assert item["counted"] == {"N": str(THREADS * 5)}
    assert sorted(int(part["S"]) for part in item["parts"]["L"]) == sorted(list(range(THREADS)) * 5)


def test_appends_keep_their_order(aws: Aws) -> None:
    for part in ("one", "two", "three"):
        values = {"none": [], "part": [part]}
        reply = update(
            aws, "a", "SET parts = list_append(if_not_exists(parts, :none), :part)", values, ReturnValues="ALL_NEW"
        )
    assert [part["S"] for part in reply["Attributes"]["parts"]["L"]] == ["one", "two", "three"]


def test_a_refused_write_tells_what_the_item_is(aws: Aws) -> None:
    update(aws, "a", "SET epoch = :n", {"n": 7})
    with pytest.raises(ClientError) as refused:
        update(
            aws,
            "a",
            "SET epoch = :n",
            {"n": 1},
            ConditionExpression="epoch < :n",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    assert refused.value.response["Item"] == {"pk": {"S": "a"}, "epoch": {"N": "7"}}  # type: ignore[typeddict-item]


def test_a_refused_write_to_an_item_that_is_not_there_tells_of_none(aws: Aws) -> None:
    with pytest.raises(ClientError) as refused:
        update(
            aws,
            "a",
            "SET epoch = :n",
            {"n": 1},
            ConditionExpression="attribute_exists(pk)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    assert "Item" not in refused.value.response
    assert read(aws, "a") is None


def test_a_condition_on_an_attribute_that_is_not_there_does_not_hold(aws: Aws) -> None:
    update(aws, "a", "SET epoch = :n", {"n": 7})
    assert not is_allowed(
        lambda: update(aws, "a", "SET epoch = :n", {"n": 8}, ConditionExpression="lease_until < :n"),
    )


def list_changed(aws: Aws, shard: str) -> list[str]:
    reply = aws.dynamodb.query(
        TableName=aws.table,
        IndexName=CHANGES_INDEX,
        KeyConditionExpression="changed = :shard",
        ExpressionAttributeValues={":shard": {"S": shard}},
    )
    return [item["pk"]["S"] for item in reply["Items"]]


def test_an_item_is_in_the_sparse_index_only_while_it_has_the_attribute(aws: Aws) -> None:
    update(aws, "never", "SET epoch = :n", {"n": 1})
    update(aws, "later", "SET changed = :s, changed_at = :n", {"s": "0", "n": 2})
    update(aws, "sooner", "SET changed = :s, changed_at = :n", {"s": "0", "n": 1})
    assert list_changed(aws, "0") == ["sooner", "later"]
    update(aws, "sooner", "REMOVE changed", {})
    assert list_changed(aws, "0") == ["later"]
    update(aws, "sooner", "SET changed = :s", {"s": "1"})
    assert (list_changed(aws, "0"), list_changed(aws, "1")) == (["later"], ["sooner"])


def test_a_batch_of_a_hundred_is_read_at_once_and_missing_items_are_left_out(aws: Aws) -> None:
    for number in range(0, 100, 2):
        update(aws, f"k{number}", "SET epoch = :n", {"n": number})
    keys = [{"pk": {"S": f"k{number}"}} for number in range(100)]
    reply = aws.dynamodb.batch_get_item(RequestItems={aws.table: {"Keys": keys}})
    found = reply["Responses"][aws.table]
    assert {item["pk"]["S"] for item in found} == {f"k{number}" for number in range(0, 100, 2)}
    assert not reply.get("UnprocessedKeys")


def test_a_batch_of_more_than_a_hundred_is_refused(aws: Aws) -> None:
    keys = [{"pk": {"S": f"k{number}"}} for number in range(101)]
    with pytest.raises(ClientError, match="ValidationException"):
        aws.dynamodb.batch_get_item(RequestItems={aws.table: {"Keys": keys}})


def test_an_item_of_more_than_400_kb_is_refused(aws: Aws) -> None:
    with pytest.raises(ClientError, match="ValidationException"):
        update(aws, "a", "SET words = :w", {"w": "x" * 410_000})


def receive(aws: Aws, queue: str, **more: Any) -> list[dict[str, Any]]:
    reply = aws.sqs.receive_message(QueueUrl=aws.queue_urls[queue], MaxNumberOfMessages=10, **more)
    messages: list[dict[str, Any]] = reply.get("Messages", [])
    return messages


def send(aws: Aws, queue: str, body: str) -> None:
    aws.sqs.send_message(QueueUrl=aws.queue_urls[queue], MessageBody=body)


def set_visibility(aws: Aws, queue: str, message: dict[str, Any], seconds: int) -> None:
    aws.sqs.change_message_visibility(
        QueueUrl=aws.queue_urls[queue], ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=seconds
    )


@pytest.mark.parametrize("queue", [LIVE_QUEUE, PREWARM_QUEUE])
def test_a_message_received_three_times_goes_to_the_dead_letters(aws: Aws, queue: str) -> None:
    send(aws, queue, "poison")
    for _ in range(3):
        set_visibility(aws, queue, receive(aws, queue)[0], 0)
    assert receive(aws, queue) == []
    assert [message["Body"] for message in receive(aws, DEAD_LETTER_QUEUE)] == ["poison"]


def test_each_receive_is_counted(aws: Aws) -> None:
    send(aws, LIVE_QUEUE, "a")
    counts = []
    for _ in range(2):
        message = receive(aws, LIVE_QUEUE, MessageSystemAttributeNames=["ApproximateReceiveCount"])[0]
        counts.append(message["Attributes"]["ApproximateReceiveCount"])
        set_visibility(aws, LIVE_QUEUE, message, 0)
    assert counts == ["1", "2"]


def test_a_received_message_is_hidden_and_comes_back_when_its_visibility_ends(aws: Aws) -> None:
    send(aws, LIVE_QUEUE, "a")
    message = receive(aws, LIVE_QUEUE)[0]
    assert receive(aws, LIVE_QUEUE) == []
    set_visibility(aws, LIVE_QUEUE, message, 1)
    assert [again["Body"] for again in receive(aws, LIVE_QUEUE, WaitTimeSeconds=20)] == ["a"]


def test_renewing_the_visibility_keeps_a_message_hidden(aws: Aws) -> None:
    send(aws, LIVE_QUEUE, "a")
    message = receive(aws, LIVE_QUEUE, VisibilityTimeout=5)[0]
    for _ in range(6):
        set_visibility(aws, LIVE_QUEUE, message, 5)
        time.sleep(1)
    assert receive(aws, LIVE_QUEUE) == []
    aws.sqs.delete_message(QueueUrl=aws.queue_urls[LIVE_QUEUE], ReceiptHandle=message["ReceiptHandle"])
    assert aws.count_messages(LIVE_QUEUE) == 0


def test_a_long_poll_ends_as_soon_as_a_message_is_sent(aws: Aws) -> None:
    begun = time.monotonic()
    with ThreadPoolExecutor(1) as pool:
        poll = pool.submit(receive, aws, LIVE_QUEUE, WaitTimeSeconds=20)
        time.sleep(1)
        assert not poll.done()
        send(aws, LIVE_QUEUE, "a")
        assert [message["Body"] for message in poll.result()] == ["a"]
    assert time.monotonic() - begun < 15


def test_a_long_poll_of_an_empty_queue_lasts_as_long_as_asked(aws: Aws) -> None:
    begun = time.monotonic()
    assert receive(aws, LIVE_QUEUE, WaitTimeSeconds=2) == []
    assert time.monotonic() - begun >= 1.9


def test_long_polls_do_not_keep_other_requests_waiting(aws: Aws) -> None:
    with ThreadPoolExecutor(8) as pool:
        polls = [pool.submit(receive, aws, LIVE_QUEUE, WaitTimeSeconds=4) for _ in range(8)]
        time.sleep(0.5)
        send(aws, PREWARM_QUEUE, "a")
        assert receive(aws, PREWARM_QUEUE)[0]["Body"] == "a"
        assert not any(poll.done() for poll in polls)
        assert [poll.result() for poll in polls] == [[]] * 8


def test_no_message_is_given_to_two_consumers_and_none_is_lost(aws: Aws) -> None:
    for number in range(50):
        send(aws, LIVE_QUEUE, str(number))
    received = [message["Body"] for messages in race(lambda _: receive_all(aws), threads=4) for message in messages]
    assert sorted(received, key=int) == [str(number) for number in range(50)]


def receive_all(aws: Aws) -> list[dict[str, Any]]:
    received: list[dict[str, Any]] = []
    while messages := receive(aws, LIVE_QUEUE, WaitTimeSeconds=1):
        received += messages
    return received


def test_a_text_of_any_characters_travels_unharmed(aws: Aws) -> None:
    body = json.dumps({"question": "Wie heißt das? 日本語 \U0001f600 \u0000"})
    send(aws, LIVE_QUEUE, body)
    assert receive(aws, LIVE_QUEUE)[0]["Body"] == body
    update(aws, "a", "SET words = :w", {"w": "日本語 \U0001f600"})
    assert read(aws, "a")["words"] == {"S": "日本語 \U0001f600"}


def test_an_object_is_read_back_as_it_was_written(aws: Aws) -> None:
    aws.s3.put_object(Bucket=aws.bucket, Key="documents/ä b.txt", Body=b"\x00\xff")
    assert aws.s3.get_object(Bucket=aws.bucket, Key="documents/ä b.txt")["Body"].read() == b"\x00\xff"
    with pytest.raises(aws.s3.exceptions.NoSuchKey):
        aws.s3.get_object(Bucket=aws.bucket, Key="absent")
