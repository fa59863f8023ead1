"""Vectors in the shape of Amazon Titan Text Embeddings, made by hashing words and parts of words."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from typing import Any

from local.bedrock.errors import invalid
from local.bedrock.tokens import count_tokens
from local.bedrock.words import content_stems, tokenize

# Bedrock user guide, "Amazon Titan Text Embeddings": V2 has these sizes, the first version one size.
DIMENSIONS = (256, 512, 1024)
DIMENSIONS_V1 = 1536
MAX_TOKENS = 8_192
MAX_CHARACTERS = 50_000


def embed_request(request: Mapping[str, Any], *, model: str) -> dict[str, Any]:
    """Titan's reply to an embedding request. Raises ValidationException as Titan does."""
    text, size = request.get("inputText"), _dimensions(request, model=model)
    if not isinstance(text, str) or not text.strip():
        raise invalid(
            "Malformed input request: expected minLength: 1, actual: 0, please reformat your input and try again."
        )
    tokens = count_tokens(text)
    if tokens > MAX_TOKENS or len(text) > MAX_CHARACTERS:
        raise invalid(
            f"400 Bad Request: Too many input tokens. Max input tokens: {MAX_TOKENS}, request input token count: {tokens}"
        )
    vector = embed(text, dimensions=size, normalize=request.get("normalize", True) is not False)
    reply = {"embedding": vector, "inputTextTokenCount": tokens}
    return reply if size == DIMENSIONS_V1 else {**reply, "embeddingsByType": {"float": vector}}


def _dimensions(request: Mapping[str, Any], *, model: str) -> int:
    if "embed-text-v1" in model or model.endswith("embed-g1-text-02"):
        return DIMENSIONS_V1
    size = request.get("dimensions", DIMENSIONS[-1])
    if isinstance(size, bool) or size not in DIMENSIONS:
        raise invalid(
            f"Malformed input request: #/dimensions: {size} is not a valid enum value, please reformat your input and try again."
        )
    return int(size)


def embed(text: str, *, dimensions: int, normalize: bool = True) -> list[float]:
    """A vector whose cosine with another grows with the words and parts of words that the two texts share."""
    vector = [0.0] * dimensions
    for feature, weight in _features(text):
        number = int.from_bytes(hashlib.blake2b(feature.encode("utf-8", "replace"), digest_size=8).digest(), "big")
        vector[number % dimensions] += weight if number >> 63 else -weight
    length = math.sqrt(sum(x * x for x in vector)) or 1.0
    return [x / length for x in vector] if normalize else vector


def _features(text: str) -> Iterator[tuple[str, float]]:
    """Content words count most, their parts (for other forms and misspellings) and the little words less."""
    for stem in content_stems(text):
        yield stem, 1.0
        padded = f"^{stem}$"
        yield from ((padded[i : i + 3], 0.3) for i in range(len(padded) - 2))
    yield from ((f"={word}", 0.1) for word in tokenize(text))
