"""`make demo`: starts everything, places calls, prints what the callers hear, and stays up."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import time
import uuid
from collections.abc import Iterator

from connectgenai.wire.question import identify_question
from connectgenai.wire.store import AnswerStore
from flows.caller import Dialled, place_call
from flows.lambda_phone import LambdaPhone
from flows.transcript import describe_event
from local.provision import local_client
from local.stack import ROOT, SUPERVISOR, Stack, StackError

SUMMARY = ("ferry-handbook", "Please summarise the handbook for me.")
IN_OTHER_WORDS = "Um, could you tell me: summarise the handbook for me, please? Thank you!"
TOGETHER = ("ferry-handbook", "What happens when a sailing is cancelled because of bad weather?")
AGAIN = ("store-faq", "How long do I have to return something that I bought?")
CALLERS = ("+15550100", "+15550111")


def main() -> int:
    """Runs the demonstration; 0 when every call ended with an answer."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="end after the calls instead of staying up")
    parser.add_argument("--model", choices=("extractive", "small"), default="extractive", help="who answers")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"[{time.monotonic() - began:5.1f} s] {text} ...", flush=True)

    try:
        with Stack(home=ROOT / ".local", say=say, model=options.model) as stack:
            return _show(stack, once=options.once)
    except StackError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped; the data is kept in .local for the next start.")
        return 0


def _show(stack: Stack, *, once: bool) -> int:
    login = f"{stack.site_url}/admin/   login {SUPERVISOR} / {stack.password}"
    print(f"\nThe supervisors' site is up: {login}")
    outcomes = list(_place_calls(Demo(stack)))
    print(
        f"\n{outcomes.count('answered')} of {len(outcomes)} calls were answered, {outcomes.count('hung_up')} hung up on purpose."
    )
    if not once:
        print(f"\nStill running. The supervisors' site: {login}")
        print('Call yourself: .venv/bin/python manage.py call --topic store-faq --question "Are you open on Sunday?"')
        print("Ctrl-C stops everything.", flush=True)
        threading.Event().wait()
    return 0 if set(outcomes) <= {"answered", "hung_up"} else 1


class Demo:
    """Callers on the running stack."""

    def __init__(self, stack: Stack) -> None:
        endpoint = stack.environment["AWS_ENDPOINT_URL"]
        lambda_url = stack.environment["AWS_ENDPOINT_URL_LAMBDA"]
        self._phone = LambdaPhone(local_client("lambda", lambda_url), s3=local_client("s3", endpoint))
        self._store = AnswerStore(local_client("dynamodb", endpoint), table=stack.environment["CONNECTGENAI_TABLE"])

    def withdraw(self, topic: str, question: str) -> None:
        """Makes sure that a question is one never answered, also at the second start, which keeps the data."""
        asked = identify_question(question, topic=topic, language="en-US", sharing="everyone", caller="", contact_id="")
        if self._store.read_answer(asked.key) is not None:
            print("(Known from an earlier start: withdrawn first, so that it has to be generated again.)")
            self._store.invalidate(asked.key, reason="demonstration", now_ms=time.time_ns() // 1_000_000)

    def call(
        self, topic: str, question: str, *, caller: str = CALLERS[0], name: str = "", hang_up_after: float | None = None
    ) -> str:
        """Places one call and prints it; how it ended."""
        dialled = Dialled(topic=topic, question=question, caller=caller, contact_id=str(uuid.uuid4()))
        print(f'{name}   0.0 s  caller asks   "{question}"', flush=True)
        calling = place_call(
            dialled, invoke=self._phone.invoke, audio_seconds=self._phone.audio_seconds, hang_up_after=hang_up_after
        )
        outcome = ""
        for event in calling:
            outcome = event.get("outcome", "")
            if event["event"] != "invoke":
                print(f"{name}{describe_event(event)}", flush=True)
        return outcome


def _place_calls(demo: Demo) -> Iterator[str]:
    print("\n(a) A question that nobody has asked before: a summary of a long document")
    demo.withdraw(*SUMMARY)
    yield demo.call(*SUMMARY)
    print(
        "\n(b) The same question in other words, from another caller: answered at once (who has heard enough after 12 s)"
    )
    yield demo.call(SUMMARY[0], IN_OTHER_WORDS, caller=CALLERS[1], hang_up_after=12.0)
    print("\n(c) Two callers with one question: the second joins the generation that runs already")
    demo.withdraw(*TOGETHER)
    yield from _call_together(demo)
    print("\n(d) A caller who hangs up, and calls again")
    demo.withdraw(*AGAIN)
    yield demo.call(*AGAIN, hang_up_after=2.5)
    yield demo.call(*AGAIN)


def _call_together(demo: Demo) -> list[str]:
    outcomes: list[str] = []

    def second() -> None:
        time.sleep(2.0)
        outcomes.append(demo.call(*TOGETHER, caller=CALLERS[1], name="    [second] "))

    thread = threading.Thread(target=second)
    thread.start()
    outcomes.append(demo.call(*TOGETHER, name="[first]      "))
    thread.join()
    return outcomes


if __name__ == "__main__":
    sys.exit(main())
