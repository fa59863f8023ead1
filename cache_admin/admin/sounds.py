"""Recordings in the bucket: found by their S3 URIs, measured and played."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.http import FileResponse, Http404

from cache_admin import gateways
from cache_admin.phone.lambdas import find_sound
from cache_admin.services.audio import SAMPLES_A_SECOND

UNKNOWN_SECONDS: Final = 3.0  # the same as the wire takes a recording for


def make_uri(name: str) -> str:
    """A file of the bucket as policies name it."""
    return f"s3://{settings.BUCKET}/{name}"


def measure_stored(name: str) -> float:
    """Seconds of a recording in the bucket, which is mu-law: one byte a sample; a guess when S3 does not say."""
    try:
        return _measure_file(name) if name else UNKNOWN_SECONDS
    except (ClientError, BotoCoreError, OSError):
        return UNKNOWN_SECONDS


@lru_cache(maxsize=1_000)  # a name follows from the content, which so never changes
def _measure_file(name: str) -> float:
    return gateways.file_storage().size(name) / SAMPLES_A_SECOND


def open_sound(uri: str) -> FileResponse:
    """Our own recording as a response; Http404 for whatever else is named."""
    name, storage = find_sound(uri), gateways.file_storage()
    if not name or not storage.exists(name):
        raise Http404
    return FileResponse(storage.open(name), content_type="audio/wav")
