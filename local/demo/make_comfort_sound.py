"""Makes sounds/comfort.wav: two soft notes that tell a waiting caller that the line is alive.

Run as `python -m local.demo.make_comfort_sound [FILE]`. Amazon Connect plays only 8 kHz mono mu-law recordings
(admin guide, "Supported file types for prompts").
"""

from __future__ import annotations

import math
import struct
import sys
from pathlib import Path

RATE = 8_000
SECONDS = 1.2
FADE_SECONDS = 0.35
# Each note, of full scale (-26 dB): softer than the voice of the prompts around it.
LOUDNESS = 0.05
# A fifth, both notes within the 300 to 3,400 Hz that a telephone carries.
NOTES_HZ = (330.0, 495.0)

WAVE_FORMAT_MULAW = 7
MULAW_BIAS, MULAW_CLIP = 132, 32_635


def encode_mulaw(sample: int) -> int:
    """One byte for a signed 16-bit sample, as ITU-T G.711 has it: sign, 3 bits of exponent, 4 of mantissa, all inverted."""
    sign = 0x80 if sample < 0 else 0
    magnitude = min(abs(sample), MULAW_CLIP) + MULAW_BIAS
    exponent = magnitude.bit_length() - 8
    mantissa = (magnitude >> (exponent + 3)) & 0x0F
    return ~(sign | exponent << 4 | mantissa) & 0xFF


def render_tone() -> list[int]:
    """The notes as signed 16-bit samples, faded in and out so that neither end clicks."""
    count = round(SECONDS * RATE)
    return [round(32_767 * LOUDNESS * _fade(n / RATE) * _mix(n / RATE)) for n in range(count)]


def _mix(seconds: float) -> float:
    return sum(math.sin(2 * math.pi * hertz * seconds) for hertz in NOTES_HZ)


def _fade(seconds: float) -> float:
    nearest_end = min(seconds, SECONDS - seconds)
    return math.sin(math.pi / 2 * min(1.0, nearest_end / FADE_SECONDS)) ** 2


def wav_file(data: bytes) -> bytes:
    """A WAV file around mu-law bytes, with the `fact` chunk that every format but PCM needs ("New Multimedia Data Types", Microsoft)."""
    fmt = struct.pack("<HHIIHHH", WAVE_FORMAT_MULAW, 1, RATE, RATE, 1, 8, 0)
    chunks = _chunk(b"fmt ", fmt) + _chunk(b"fact", struct.pack("<I", len(data))) + _chunk(b"data", data)
    return _chunk(b"RIFF", b"WAVE" + chunks)


def _chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def comfort_sound() -> bytes:
    """The whole file."""
    return wav_file(bytes(map(encode_mulaw, render_tone())))


def main() -> None:
    """Writes the file named on the command line, or the demo's own."""
    default = Path(__file__).parent / "sounds" / "comfort.wav"
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else default
    target.write_bytes(comfort_sound())
    print(f"{target}: {SECONDS:g} s")


if __name__ == "__main__":
    main()
