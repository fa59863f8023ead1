"""The Producer: a flow asks a question. Everything it decides is decided in connectgenai.wire.answering."""

from __future__ import annotations

from lambdas.desk import open_desk, reply_to

desk = open_desk()


def handler(event: object, _context: object) -> dict[str, str]:
    """Amazon Connect's "Invoke AWS Lambda function" event in, a flat map of strings out."""
    return reply_to(lambda: desk.ask(event))
