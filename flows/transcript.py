"""A call's events as lines that a person can read: who says what, when."""

from __future__ import annotations

from typing import Any

KINDS = {"prompt": "wait prompt", "comfort": "comfort tone", "answer": "answer", "hand_over": "hand-over"}


def describe_event(event: dict[str, Any]) -> str | None:
    """One line for an event of `flows.caller.place_call`; None for those that a listener would not notice."""
    if event["event"] == "end":
        return _describe_end(event)
    clock = f"{event['at']:6.1f} s"
    if event["event"] == "invoke":
        reply, called = event["reply"], event["function"].removeprefix("connectgenai-")
        came = f"failed: {event['error']}" if "error" in event else f"{reply['statusCode']} {reply['reason']}"
        return f"{clock}  {called:12}  {came}".rstrip() + f"   ({event['seconds'] * 1000:.0f} ms)"
    said = f'"{event["text"]}"' if event["text"] else f"~ {event['seconds']:.1f} s ~"
    return f"{clock}  {KINDS[event['kind']]:12}  {said}"


def _describe_end(event: dict[str, Any]) -> str:
    first = event["seconds_to_first_word"]
    heard = "no answer was heard" if first is None else f"first words after {first:.1f} s"
    return (
        f"{event['seconds_total']:6.1f} s  end           {event['outcome']}: {heard}; source {event['source'] or '-'};"
        f" longest silence {event['longest_silence']:.1f} s, {event['prompts']} prompts, {event['lambda_calls']} Lambda calls"
    )
