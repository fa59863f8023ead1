"""Real Lambdas behind a phone line: the Invoke API, and how long a recording in S3 sounds."""

from __future__ import annotations

import io
import json
import wave
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

# A recording that cannot be read is taken for a short tone.
UNKNOWN_SECONDS = 2.0
# mu-law, as Connect wants its prompts: one byte a sample, 8,000 samples a second
BYTES_PER_SECOND = 8_000


class LambdaError(Exception):
    """The function raised, timed out or is unknown; in Connect the flow's Error branch is taken."""


class LambdaPhone:
    """Invokes functions by name and knows recordings' lengths; `s3` may be None."""

    def __init__(self, client: Any, *, s3: Any = None) -> None:
        self._client, self._s3 = client, s3
        self._seconds: dict[str, float] = {}

    def invoke(self, function: str, event: dict[str, Any]) -> dict[str, str]:
        """The function's reply to a flow event; LambdaError when there is none."""
        try:
            reply = self._client.invoke(FunctionName=function, Payload=json.dumps(event).encode())
        except (ClientError, BotoCoreError) as error:
            raise LambdaError(f"{function}: {error}") from error
        payload = reply["Payload"].read()
        if "FunctionError" in reply:
            raise LambdaError(f"{function}: {payload.decode('utf-8', 'replace')}")
        found: dict[str, str] = json.loads(payload)
        return found

    def audio_seconds(self, uri: str) -> float:
        """How long the recording at an s3:// URI sounds, in seconds."""
        if uri not in self._seconds:
            self._seconds[uri] = self._measure(uri)
        return self._seconds[uri]

    def _measure(self, uri: str) -> float:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        try:
            content: bytes = self._s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        except (ClientError, BotoCoreError, AttributeError):
            return UNKNOWN_SECONDS
        try:
            with wave.open(io.BytesIO(content)) as recording:
                return float(recording.getnframes() / recording.getframerate())
        except (wave.Error, EOFError):  # the standard library reads PCM only
            return len(content) / BYTES_PER_SECOND
