"""One process of callers: `python -m benchmarks.proofs.racer RESULT`, with the plan on its standard input.

All threads ask the same question at the same time, then all the next. The plan and the result are JSON.
"""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any


def make_event(contact_id: str, *, topic: str, question: str) -> dict[str, Any]:
    """What Connect sends to the Producer."""
    endpoint = {"Type": "TELEPHONE_NUMBER", "Address": f"+1555{abs(hash(contact_id)) % 10**7:07d}"}
    contact = {"ContactId": contact_id, "Channel": "VOICE", "LanguageCode": "en-US", "CustomerEndpoint": endpoint}
    return {"Details": {"ContactData": contact, "Parameters": {"topic": topic, "question": question}}}


def run(plan: dict[str, Any]) -> list[dict[str, str]]:
    """Asks all that the plan says through the Producer's own handler; the replies."""
    from lambdas.producer import handler  # it reads the environment, as in Lambda, when it is imported

    def ask(work: tuple[str, str]) -> dict[str, str]:
        contact_id, question = work
        reply = handler(make_event(contact_id, topic=plan["topic"], question=question), None)
        return {"question": question, **{name: reply[name] for name in ("statusCode", "ticket", "cursor", "reason")}}

    asks = [
        (f"{plan['name']}-{q}-{n}", question)
        for q, question in enumerate(plan["questions"])
        for n in range(plan["asks_each"])
    ]
    with ThreadPoolExecutor(plan["threads"]) as pool:
        time.sleep(max(0.0, plan["starts_at"] - time.time()))
        return list(pool.map(ask, asks))


def main() -> None:
    """Runs the plan that the parent process wrote."""
    Path(sys.argv[1]).write_text(json.dumps(run(json.loads(sys.stdin.readline()))))


if __name__ == "__main__":
    main()
