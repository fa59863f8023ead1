"""Recordings: what Connect can play, and how long it sounds."""

from __future__ import annotations

import struct
from typing import IO

MAX_BYTES = 5_000_000
MU_LAW, SAMPLES_A_SECOND = 7, 8_000


class AudioError(ValueError):
    """A recording cannot be played by Amazon Connect; the message says why."""


def measure_recording(file: IO[bytes], *, name: str) -> float:
    """Seconds of a WAV file; AudioError unless it is 8 kHz mono mu-law (Connect admin guide, "Create prompts")."""
    content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise AudioError(f"{name}: larger than {MAX_BYTES // 1_000_000} MB.")
    chunks = dict(_read_chunks(content, name))
    shape = chunks.get(b"fmt ", b"")
    if len(shape) < 16 or b"data" not in chunks:
        raise AudioError(f"{name}: not a WAV file, or a damaged one.")
    kind, channels, rate = struct.unpack("<HHI", shape[:8])
    if (kind, channels, rate) != (MU_LAW, 1, SAMPLES_A_SECOND):
        raise AudioError(f"{name}: must be 8 kHz mono mu-law. Convert it: sox in.wav -r 8000 -c 1 -e u-law out.wav")
    return len(chunks[b"data"]) / SAMPLES_A_SECOND


def _read_chunks(content: bytes, name: str) -> list[tuple[bytes, bytes]]:
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        raise AudioError(f"{name}: not a WAV file.")
    found, at = [], 12
    while at + 8 <= len(content):
        size = int.from_bytes(content[at + 4 : at + 8], "little")
        found.append((content[at : at + 4], content[at + 8 : at + 8 + size]))
        at += 8 + size + size % 2
    return found
