from __future__ import annotations

import io
import math
import struct
import wave
from itertools import pairwise
from pathlib import Path

import miniaudio  # type: ignore[import-untyped]
import pytest

from cache_admin.services.audio import AudioError, measure_recording
from cache_admin.services.audio_conversion import convert_recording, encode_mu_law, make_wav
from tests.cache_admin.test_audio import COMFORT
from tests.cache_admin.test_audio import make_wav as make_any_wav

TONE = Path(__file__).parent / "sounds" / "tone.mp3"  # one second of 440 Hz, stereo, 44.1 kHz


def make_pcm(*, rate: int = 16_000, channels: int = 2, width: int = 2, seconds: float = 1.0) -> bytes:
    """A tone of 440 Hz."""
    loud = {1: 100, 2: 12_000, 4: 800_000_000}[width]
    form = {1: "B", 2: "<h", 4: "<i"}[width]
    middle = 128 if width == 1 else 0
    written = io.BytesIO()
    with wave.open(written, "wb") as recording:
        recording.setparams((channels, width, rate, 0, "NONE", ""))
        for n in range(round(rate * seconds)):
            value = middle + round(loud * math.sin(2 * math.pi * 440 * n / rate))
            recording.writeframes(struct.pack(form, value) * channels)
    return written.getvalue()


def count_crossings(content: bytes) -> int:
    """How often the sound changes its sign: twice a period."""
    samples = miniaudio.decode(content, nchannels=1, sample_rate=8_000).samples
    return sum((a < 0) != (b < 0) for a, b in pairwise(sample for sample in samples if abs(sample) > 500))


@pytest.mark.parametrize(
    "content",
    [
        make_pcm(),
        make_pcm(rate=8_000, channels=1),
        make_pcm(rate=44_100, width=1),
        make_pcm(rate=11_025, channels=1, width=4),
    ],
)
def test_a_recording_of_any_kind_becomes_one_that_connect_plays(content: bytes) -> None:
    made = convert_recording(content, name="tone.wav")
    assert measure_recording(made, name="tone.wav") == pytest.approx(1.0, abs=0.02)
    assert count_crossings(made) == pytest.approx(880, abs=6)


def test_an_mp3_file_is_converted_too_whatever_it_is_called() -> None:
    made = convert_recording(TONE.read_bytes(), name="tone.wav")
    assert measure_recording(made, name="tone.wav") == pytest.approx(1.0, abs=0.15)
    assert count_crossings(made) == pytest.approx(880, abs=12)


def test_what_connect_plays_already_stays_as_it_is() -> None:
    assert convert_recording(COMFORT.read_bytes(), name="comfort.wav") == COMFORT.read_bytes()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "neither a WAV nor an MP3 file"),
        (b"<html>not a sound</html>", "neither a WAV nor an MP3 file"),
        (b"OggS" + bytes(500), "neither a WAV nor an MP3 file"),
        (b"ID3\x04" + bytes(500), "damaged, or holds no sound"),
        (b"\xff\xfb" + bytes(500), "damaged, or holds no sound"),
        (make_pcm()[:40], "damaged, or holds no sound"),
        (make_pcm(seconds=0), "damaged, or holds no sound"),
        (make_pcm(rate=8_000, channels=1, width=1, seconds=301), "longer than 5 minutes"),
        (make_wav(bytes(8_000 * 301)), "longer than 5 minutes"),
        (make_any_wav(kind=1, rate=1, data=bytes(400)), "damaged, or holds no sound"),
        (bytes(5_000_001), "larger than 5 MB"),
    ],
)
def test_what_is_no_sound_is_refused_with_its_name_and_the_reason(content: bytes, why: str) -> None:
    with pytest.raises(AudioError, match=r"beep\.mp3: ") as raised:
        convert_recording(content, name="beep.mp3")
    assert why in str(raised.value)


def test_mu_law_is_that_of_the_standard() -> None:
    known = {0: 0xFF, 8: 0xFE, -8: 0x7E, 32_767: 0x80, -32_768: 0x00, 1_000: 0xCE, -1_000: 0x4E}
    assert encode_mu_law(known) == bytes(known.values())
