"""Documents' texts: by their hash, fetched once, kept within bounds, and never another text than the one meant."""

from __future__ import annotations

import hashlib
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from connectgenai.wire.items import document_text_key
from connectgenai.wire.prompt import Document
from jobs.bedrock import PermanentModelError, RetryableModelError
from jobs.documents import DocumentLibrary
from local.provision import local_client
from tests.aws import Aws


@pytest.fixture
def fetched(aws: Aws) -> list[str]:
    """The keys that were fetched from S3, in order."""
    keys: list[str] = []
    aws.s3.meta.events.register("provide-client-params.s3.GetObject", lambda params, **_: keys.append(params["Key"]))
    return keys


def upload(aws: Aws, text: str) -> str:
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    aws.s3.put_object(Bucket=aws.bucket, Key=document_text_key(sha256), Body=text.encode())
    return sha256


def library(aws: Aws, **options: Any) -> DocumentLibrary:
    return DocumentLibrary(aws.s3, bucket=aws.bucket, **options)


def test_documents_come_with_their_titles_in_the_topics_order(aws: Aws) -> None:
    hours, prices = upload(aws, "We open at nine. \u00dc"), upload(aws, "One euro.")
    loaded = library(aws).load([f"{prices} Our prices 2026", f"{hours} Hours"])
    assert loaded == [Document("Our prices 2026", "One euro."), Document("Hours", "We open at nine. \u00dc")]


def test_a_text_is_fetched_once(aws: Aws, fetched: list[str]) -> None:
    kept, sha256 = library(aws), upload(aws, "We open at nine.")
    assert kept.load([f"{sha256} A"])[0].text == kept.load([f"{sha256} B"])[0].text
    assert fetched == [document_text_key(sha256)]


def test_of_many_jobs_at_once_one_fetches(aws: Aws, fetched: list[str]) -> None:
    kept, sha256, together = library(aws), upload(aws, "long " * 100_000), threading.Barrier(16)

    def load(_: int) -> str:
        together.wait(30)
        return kept.load([f"{sha256} A"])[0].text

    with ThreadPoolExecutor(16) as jobs:
        texts = set(jobs.map(load, range(16)))
    assert texts == {"long " * 100_000}
    assert len(fetched) == 1


def test_a_document_that_is_gone_is_a_failure_for_good(aws: Aws) -> None:
    with pytest.raises(PermanentModelError, match="document_missing"):
        library(aws).load([f"{'0' * 64} Lost"])


def test_a_bucket_that_is_gone_is_a_failure_for_good(aws: Aws) -> None:
    with pytest.raises(PermanentModelError, match="document_missing"):
        DocumentLibrary(aws.s3, bucket="no-such-bucket-here").load([f"{'0' * 64} Lost"])


def test_another_text_than_the_one_that_was_published_is_not_used(aws: Aws) -> None:
    sha256 = upload(aws, "We open at nine.")
    aws.s3.put_object(Bucket=aws.bucket, Key=document_text_key(sha256), Body=b"We never open.")
    with pytest.raises(PermanentModelError, match="document_missing"):
        library(aws).load([f"{sha256} Hours"])


def test_after_a_failure_the_document_is_looked_for_again(aws: Aws) -> None:
    kept, text = library(aws), "Uploaded a moment too late."
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    with pytest.raises(PermanentModelError):
        kept.load([f"{sha256} A"])
    upload(aws, text)
    assert kept.load([f"{sha256} A"])[0].text == text


def test_an_s3_that_is_away_may_be_asked_again() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        away = local_client("s3", f"http://127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(RetryableModelError, match="network"):
            DocumentLibrary(away, bucket="b").load([f"{'0' * 64} A"])


def test_what_was_used_longest_ago_makes_room(aws: Aws, fetched: list[str]) -> None:
    kept = library(aws, kept_bytes=2_500)
    first, second, third = (upload(aws, letter * 1_000) for letter in "abc")
    for sha256 in (first, second, first, third):  # the third needs the room of the second
        kept.load([f"{sha256} A"])
    fetched.clear()
    for sha256 in (first, third, second):
        kept.load([f"{sha256} A"])
    assert fetched == [document_text_key(second)]


def test_a_text_larger_than_all_room_is_still_used(aws: Aws, fetched: list[str]) -> None:
    kept, sha256 = library(aws, kept_bytes=10), upload(aws, "word " * 100)
    assert kept.load([f"{sha256} A"]) == kept.load([f"{sha256} A"])
    assert len(fetched) == 1
