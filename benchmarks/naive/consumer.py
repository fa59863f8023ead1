"""The naive Consumer: looks once; when the answer is not there it sleeps, and lets the flow say that it goes on."""

from __future__ import annotations

import os
import time
from typing import Any

import boto3

from benchmarks.naive.reply import PROMPTS, make_reply

TABLE, INTERVAL_SECONDS = os.environ["NAIVE_TABLE"], float(os.environ["NAIVE_INTERVAL"])
dynamodb = boto3.client("dynamodb")


def handler(event: dict[str, Any], _context: object) -> dict[str, str]:
    """Amazon Connect's event in, a flat map of strings out."""
    parameters = event["Details"]["Parameters"]
    ticket, polls = parameters["ticket"], int(parameters["cursor"] or 0)
    item = dynamodb.get_item(TableName=TABLE, Key={"pk": {"S": ticket}}).get("Item", {})
    if "answer" in item:
        return make_reply("200", ticket=ticket, text=item["answer"]["S"])
    time.sleep(INTERVAL_SECONDS)
    return make_reply("202", ticket=ticket, cursor=str(polls + 1), text=PROMPTS[polls % len(PROMPTS)])
