"""The only two functions that a flow may invoke on the phone, and the recordings that it may play."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from connectgenai.wire.config import aws_client
from flows.caller import CONSUMER, PRODUCER
from flows.lambda_phone import LambdaPhone
from flows.runner.instance import UNKNOWN_AUDIO_SECONDS
from flows.runner.lambdas import Functions

# The Consumer of the native mode answers after up to 55 s
READ_SECONDS = 70
SOUNDS = "sounds/"


def make_phone() -> LambdaPhone:
    """A line to the real Lambdas, and to the bucket."""
    client = aws_client("lambda", attempts=1, read_seconds=READ_SECONDS, connections=20)
    return LambdaPhone(client, s3=aws_client("s3"))


def allow_functions(phone: LambdaPhone) -> Functions:
    """Producer and Consumer by name, whatever account or alias a flow names: nothing else is ever invoked."""

    def make(name: str) -> Any:
        return lambda event: phone.invoke(name, event)

    return Functions({name: make(name) for name in (PRODUCER, CONSUMER)})


def find_sound(uri: str) -> str:
    """The name of our own recording in our own bucket; "" for whatever else a flow names."""
    name = uri.removeprefix(f"s3://{settings.BUCKET}/") if uri.startswith(f"s3://{settings.BUCKET}/") else ""
    return name if name.startswith(SOUNDS) and ".." not in name else ""


def measure_sound(phone: LambdaPhone, uri: str) -> float:
    """Seconds of a recording; a short tone's where it is none of ours."""
    return phone.audio_seconds(uri) if find_sound(uri) else UNKNOWN_AUDIO_SECONDS
