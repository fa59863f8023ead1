"""Recordings: what Connect can play, and how long it sounds."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from django.core.files.storage import Storage
from django.utils.translation import gettext as _

from cache_admin.services.files import keep_file

MAX_BYTES = 5_000_000
MU_LAW, SAMPLES_A_SECOND = 7, 8_000


class AudioError(ValueError):
    """A recording cannot be played by Amazon Connect; the message names the file and says why."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name}: {why}")


def measure_recording(content: bytes, *, name: str) -> float:
    """Seconds of a WAV file; AudioError unless it is 8 kHz mono mu-law (Connect admin guide, "Create prompts")."""
    if len(content) > MAX_BYTES:
        raise AudioError(name, _("it is larger than 5 MB."))
    chunks = dict(_read_chunks(content, name))
    shape, sound = chunks.get(b"fmt ", b""), chunks.get(b"data", b"")
    if len(shape) < 16 or not sound:
        raise AudioError(name, _("it is damaged, or holds no sound."))
    if struct.unpack("<HHI", shape[:8]) != (MU_LAW, 1, SAMPLES_A_SECOND):
        raise AudioError(
            name, _("it must be 8 kHz mono mu-law. To convert it: sox in.wav -r 8000 -c 1 -e mu-law out.wav")
        )
    return len(sound) / SAMPLES_A_SECOND


def keep_recording(content: bytes, *, name: str, storage: Storage) -> tuple[str, float]:
    """Checks and stores a recording; its name in the bucket, and its seconds."""
    seconds = measure_recording(content, name=name)
    return keep_file(content, folder="sounds", name=name, storage=storage), seconds


def _read_chunks(content: bytes, name: str) -> Iterator[tuple[bytes, bytes]]:
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        raise AudioError(name, _("it is not a WAV file."))
    at = 12
    while at + 8 <= len(content):
        size = int.from_bytes(content[at + 4 : at + 8], "little")
        yield content[at : at + 4], content[at + 8 : at + 8 + size]
        at += 8 + size + size % 2
