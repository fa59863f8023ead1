"""A test's own corner of the emulator: a table, queues and a bucket that no other test knows."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from local.provision import local_client, provision


@dataclass(frozen=True, slots=True)
class Aws:
    """What one test has in the emulator, and the clients to look at it."""

    endpoint_url: str
    table: str
    bucket: str
    queue_urls: dict[str, str]
    environment: dict[str, str]
    dynamodb: Any
    sqs: Any
    s3: Any

    def count_messages(self, queue: str) -> int:
        """How many messages wait on the queue, those in flight included."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        reply = self.sqs.get_queue_attributes(QueueUrl=self.queue_urls[queue], AttributeNames=names)
        return sum(int(value) for value in reply["Attributes"].values())


def make_aws(endpoint_url: str) -> Aws:
    """A fresh table, queues and bucket under names of their own: much quicker than to reset the whole emulator."""
    name = f"t{secrets.token_hex(6)}"
    made = provision(endpoint_url=endpoint_url, table=name, bucket=name, queue_prefix=f"{name}-")
    clients = {service: local_client(service, endpoint_url) for service in ("dynamodb", "sqs", "s3")}
    return Aws(endpoint_url, made.table, made.bucket, made.queue_urls, made.environment, **clients)
