"""AWS's event-stream encoding: how a streamed reply is cut into messages on the wire (botocore has the decoder only)."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping

STRING = 7  # the type number of a string header
MAX_NAME_BYTES = 255
MAX_VALUE_BYTES = 32_767
PRELUDE_BYTES = 12
CRC_BYTES = 4


def encode_message(headers: Mapping[str, str], payload: bytes = b"") -> bytes:
    """One message: lengths, their checksum, the headers, the payload, the checksum of it all.

    Raises ValueError for a header that the encoding cannot hold (AWS general reference, "Event stream encoding").
    """
    packed = b"".join(_pack_header(name, value) for name, value in headers.items())
    total = PRELUDE_BYTES + len(packed) + len(payload) + CRC_BYTES
    lengths = struct.pack(">II", total, len(packed))
    message = lengths + struct.pack(">I", zlib.crc32(lengths)) + packed + payload
    return message + struct.pack(">I", zlib.crc32(message))


def _pack_header(name: str, value: str) -> bytes:
    key, text = name.encode(), value.encode()
    if not 0 < len(key) <= MAX_NAME_BYTES or len(text) > MAX_VALUE_BYTES:
        raise ValueError(f"The header {name[:40]!r} does not fit an event-stream message.")
    return bytes([len(key)]) + key + struct.pack(">BH", STRING, len(text)) + text


def encode_event(kind: str, body: Mapping[str, object]) -> bytes:
    """An event of this type, its body as JSON."""
    headers = {":event-type": kind, ":content-type": "application/json", ":message-type": "event"}
    return encode_message(headers, json.dumps(body).encode())


def encode_exception(kind: str, message: str) -> bytes:
    """An exception within the stream, as Bedrock reports what goes wrong after the reply has begun."""
    headers = {":exception-type": kind, ":content-type": "application/json", ":message-type": "exception"}
    return encode_message(headers, json.dumps({"message": message}).encode())
