"""What Bedrock refuses before any model runs, in Bedrock's words where they are known."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Any

from local.bedrock.errors import BedrockError, invalid
from local.bedrock.prompt import block_text

# provider.model[-version], perhaps led by an inference profile's region ("us.", "global."); or an ARN of Bedrock's.
MODEL_ID = re.compile(r"[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,3}(?::[a-z0-9-]{1,63}){0,2}")
MODEL_ARN = re.compile(r"arn:aws(?:-[^:]+)?:bedrock:[a-z0-9-]{1,20}:(?:\d{12})?:[a-z-]+/[a-zA-Z0-9.:/-]+")
MAX_INPUT_TOKENS = 200_000  # the context window of most hosted models
READABLE = {"text", "cachePoint", "guardContent"}


def check_model_id(model: str) -> None:
    """ValidationException when no model could have this id."""
    if not (MODEL_ID.fullmatch(model) or MODEL_ARN.fullmatch(model)):
        raise invalid("The provided model identifier is invalid.")


def is_embedding_model(model: str) -> bool:
    """Whether the id names a model that turns text into a vector, and does not converse."""
    return "embed" in model


def check_conversation(request: Mapping[str, Any], *, model: str) -> None:
    """ValidationException unless Converse would take the request."""
    check_model_id(model)
    if is_embedding_model(model):
        raise invalid(
            "This action doesn't support the model that you provided. Try again with a supported text or chat model."
        )
    _check_system(request.get("system"))
    _check_messages(request.get("messages"))
    _check_inference(request.get("inferenceConfig"))


def read_counted(request: Mapping[str, Any], *, model: str) -> Mapping[str, Any] | str:
    """What CountTokens shall count: a Converse request, or the text of an InvokeModel request. Raises ValidationException."""
    given = request.get("input")
    if not isinstance(given, dict) or len(given) != 1 or not isinstance(next(iter(given.values())), dict):
        raise invalid("The input field must hold either a converse or an invokeModel request.")
    if "converse" in given:
        check_conversation(given["converse"], model=model)
        converse: dict[str, Any] = given["converse"]
        return converse
    try:
        return base64.b64decode(given["invokeModel"]["body"], validate=True).decode()
    except (KeyError, TypeError, ValueError):
        raise invalid("The body of the invokeModel request is malformed.") from None


def check_length(tokens: int) -> None:
    """ValidationException when the prompt is longer than the model can read."""
    if tokens > MAX_INPUT_TOKENS:
        raise invalid("Input is too long for requested model.")


def _check_messages(messages: Any) -> None:
    if not _is_objects(messages) or not messages or messages[0].get("role") != "user":
        raise invalid(
            "A conversation must start with a user message. Try again with a conversation that starts with a user message."
        )
    for number, message in enumerate(messages):
        if message.get("role") != ("user", "assistant")[number % 2]:
            raise invalid(
                "A conversation must alternate between user and assistant roles. Make sure the conversation alternates between user"
                " and assistant roles and try again."
            )
        _check_content(message.get("content"), place=f"messages.{number}")
    if messages[-1]["role"] != "user":
        raise invalid(
            "This model does not support assistant message prefill. The conversation must end with a user message."
        )


def _check_content(content: Any, *, place: str) -> None:
    if not _is_objects(content) or not content:
        raise invalid(
            f"The content field in the Message object at {place} is empty. Add a ContentBlock object to the content field and try again."
        )
    _check_blocks(content, place=f"{place}.content", kind="ContentBlock")
    if all("cachePoint" in block for block in content):
        raise invalid(f"The content field in the Message object at {place} has nothing before its cachePoint.")


def _check_system(system: Any) -> None:
    if system is None:
        return
    if not _is_objects(system):
        raise invalid("The system field must be a list of SystemContentBlock objects.")
    _check_blocks(system, place="system", kind="SystemContentBlock")


def _check_blocks(blocks: Sequence[Mapping[str, Any]], *, place: str, kind: str) -> None:
    for number, block in enumerate(blocks):
        if len(block) != 1 or not READABLE.issuperset(block):
            named = ", ".join(sorted(set(block) - READABLE)) or "empty"
            raise invalid(f"This model doesn't support the {named} content block that you provided.")
        if not isinstance(next(iter(block.values())), str if "text" in block else dict):
            raise invalid(f"The {next(iter(block))} field in the {kind} object at {place}.{number} is malformed.")
        if "cachePoint" not in block and not block_text(block).strip():
            raise invalid(
                f"The text field in the {kind} object at {place}.{number} is blank. Add text to the text field, and try again."
            )


def _check_inference(config: Any) -> None:
    if config is None:
        return
    if not isinstance(config, Mapping):
        raise invalid("The inferenceConfig field must be an object.")
    _check_number(config, "maxTokens", low=1, high=float("inf"), whole=True)
    _check_number(config, "temperature", low=0, high=1)
    _check_number(config, "topP", low=0, high=1)
    stops = config.get("stopSequences", [])
    if not isinstance(stops, list) or not all(isinstance(stop, str) and stop for stop in stops):
        raise invalid("The stopSequences field in inferenceConfig must be a list of strings that are not empty.")


def _check_number(config: Mapping[str, Any], name: str, *, low: float, high: float, whole: bool = False) -> None:
    value = config.get(name)
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
        raise BedrockError(
            "SerializationException", f"The value at inferenceConfig.{name} is not a number.", status=400
        )
    if not low <= value <= high:
        bound = "greater than or equal to 1" if whole else f"between {low} and {high}"
        raise invalid(
            f"1 validation error detected: Value '{value}' at 'inferenceConfig.{name}' failed to satisfy constraint:"
            f" Member must have value {bound}"
        )


def _is_objects(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)
