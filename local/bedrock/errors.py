"""Bedrock's errors as a client sees them: an HTTP status, a code and a message."""

from __future__ import annotations


class BedrockError(Exception):
    """A request that Bedrock would refuse, with the HTTP status and the code that it would answer."""

    def __init__(self, code: str, message: str, *, status: int) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


def invalid(message: str) -> BedrockError:
    """A ValidationException: the request itself is wrong, and will be at every retry."""
    return BedrockError("ValidationException", message, status=400)
