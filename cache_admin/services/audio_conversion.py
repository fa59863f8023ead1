"""Recordings as people have them -> recordings as Amazon Connect plays them."""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final

import miniaudio  # type: ignore[import-untyped]
from django.utils.translation import gettext as _

from cache_admin.services.audio import MAX_BYTES, MU_LAW, SAMPLES_A_SECOND, AudioError, measure_recording

MAX_SECONDS: Final = 300
# Slower than any recording is: a file that claims so would grow without end when it is converted
LEAST_SAMPLES_A_SECOND: Final = 4_000
_BIAS, _CLIP = 0x84, 32_635  # ITU-T G.711


def convert_recording(content: bytes, *, name: str) -> bytes:
    """A WAV or MP3 file as a WAV file of 8 kHz, mono, mu-law; one that is so already stays as it is.

    AudioError, with the file's name and the reason, when it is neither, is damaged, or is too large or too long. What
    kind of file it is follows from its content, whatever it is called.
    """
    if len(content) > MAX_BYTES:
        raise AudioError(name, _("it is larger than 5 MB."))
    if _is_ready(content, name=name):
        return content
    return make_wav(encode_mu_law(_decode(content, name=name)))


def _is_ready(content: bytes, *, name: str) -> bool:
    try:
        seconds = measure_recording(content, name=name)
    except AudioError:
        return False
    if seconds > MAX_SECONDS:
        raise AudioError(name, _("it is longer than 5 minutes."))
    return True


def _decode(content: bytes, *, name: str) -> Iterable[int]:
    """Samples of 16 bits, mixed to one channel, 8,000 a second."""
    try:
        info = _read_info(content, name=name)
        if info.sample_rate < LEAST_SAMPLES_A_SECOND or not info.num_frames:
            raise AudioError(name, _("it is damaged, or holds no sound."))
        if info.duration > MAX_SECONDS:
            raise AudioError(name, _("it is longer than 5 minutes."))
        samples: array[int] = miniaudio.decode(content, nchannels=1, sample_rate=SAMPLES_A_SECOND).samples
    except miniaudio.MiniaudioError as error:
        raise AudioError(name, _("it is damaged, or holds no sound.")) from error
    if not samples:
        raise AudioError(name, _("it is damaged, or holds no sound."))
    return samples


def _read_info(content: bytes, *, name: str) -> Any:
    if content[:4] == b"RIFF" and content[8:12] == b"WAVE":
        return miniaudio.wav_get_info(content)
    # an ID3 tag, or the eleven bits that begin a frame
    if content[:3] == b"ID3" or (content[:1] == b"\xff" and content[1:2] >= b"\xe0"):
        return miniaudio.mp3_get_info(content)
    raise AudioError(name, _("it is neither a WAV nor an MP3 file."))


def encode_mu_law(samples: Iterable[int]) -> bytes:
    """One byte for each sample of 16 bits (ITU-T G.711)."""
    table = _mu_law_table()
    return bytes(table[sample & 0xFFFF] for sample in samples)


@lru_cache(maxsize=1)
def _mu_law_table() -> bytes:
    return bytes(_encode_one(n if n < 0x8000 else n - 0x10000) for n in range(0x10000))


def _encode_one(sample: int) -> int:
    sign = 0x80 if sample < 0 else 0
    magnitude = min(abs(sample), _CLIP) + _BIAS
    exponent = magnitude.bit_length() - 8
    return ~(sign | exponent << 4 | magnitude >> exponent + 3 & 0x0F) & 0xFF


def make_wav(sound: bytes) -> bytes:
    """The mu-law bytes as a file; its chunks have even lengths, and other codecs than PCM want a `fact` chunk."""
    shape = struct.pack("<HHIIHHH", MU_LAW, 1, SAMPLES_A_SECOND, SAMPLES_A_SECOND, 1, 8, 0)
    chunks = [(b"fmt ", shape), (b"fact", struct.pack("<I", len(sound))), (b"data", sound)]
    body = b"".join(name + struct.pack("<I", len(part)) + part + b"\0" * (len(part) % 2) for name, part in chunks)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WAVE" + body
