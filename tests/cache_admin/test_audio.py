from __future__ import annotations

import io
import struct
import wave
from pathlib import Path

import pytest

from cache_admin.services.audio import AudioError, measure_recording

COMFORT = Path(__file__).parents[2] / "local" / "demo" / "sounds" / "comfort.wav"


def make_wav(*, kind: int = 7, channels: int = 1, rate: int = 8_000, data: bytes = b"\xff" * 4_000) -> bytes:
    shape = struct.pack("<HHIIHHH", kind, channels, rate, rate, 1, 8, 0)
    body = b"WAVE" + b"fmt " + struct.pack("<I", len(shape)) + shape + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def make_pcm() -> bytes:
    written = io.BytesIO()
    with wave.open(written, "wb") as recording:
        recording.setparams((1, 2, 8_000, 0, "NONE", ""))
        recording.writeframes(bytes(16_000))
    return written.getvalue()


def test_a_recording_that_connect_plays_is_measured() -> None:
    assert measure_recording(make_wav(), name="a.wav") == 0.5
    assert measure_recording(COMFORT.read_bytes(), name="comfort.wav") == pytest.approx(1.2)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (make_pcm(), "8 kHz mono mu-law"),
        (make_wav(channels=2), "8 kHz mono mu-law"),
        (make_wav(rate=16_000), "8 kHz mono mu-law"),
        (make_wav(data=b""), "holds no sound"),
        (make_wav()[:30], "holds no sound"),
        (b"ID3\x04" + bytes(500), "not a WAV file"),
        (b"", "not a WAV file"),
        (make_wav(data=bytes(5_000_001)), "larger than 5 MB"),
    ],
)
def test_anything_else_is_refused_with_its_name_and_the_reason(content: bytes, why: str) -> None:
    with pytest.raises(AudioError, match=r"beep\.wav: ") as raised:
        measure_recording(content, name="beep.wav")
    assert why in str(raised.value)
