"""How soon callers hear what a supervisor has decided: an edit, an invalidation, an incident text.

Everything is real: the site over HTTP, the Lambdas under AWS's runtime client, the workers, the emulator. The clock runs
from the moment at which the site says that it has saved; each ask or poll is one Lambda invocation.
"""

from __future__ import annotations

import json
import re
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.measure import Figure, Figures, Say, percentile
from benchmarks.site import Site
from local.stack import SUPERVISOR, Stack

ROUNDS = 15
TOPIC, SLOW_TOPIC = "store-faq", "ferry-handbook"
QUESTION = "Are dogs allowed in the store?"
ANSWERS, INCIDENTS = "/admin/cache_admin/cachedanswer/", "/admin/cache_admin/incident/"
PATIENCE_SECONDS = 60.0


class Phone:
    """A caller, as the flow has it: one Lambda after the other."""

    def __init__(self, stack: Stack) -> None:
        assert stack.lambdas is not None
        self._invoke = stack.lambdas.invoke
        self._contact = str(uuid.uuid4())
        self.last: dict[str, str] = {}

    def ask(self, topic: str, question: str) -> dict[str, str]:
        """The Producer's reply."""
        return self._call("connectgenai-producer", topic=topic, question=question)

    def poll(self) -> dict[str, str]:
        """The Consumer's."""
        return self._call("connectgenai-consumer", ticket=self.last["ticket"], cursor=self.last["cursor"])

    def _call(self, name: str, **parameters: str) -> dict[str, str]:
        endpoint = {"Address": "+442079460123", "Type": "TELEPHONE_NUMBER"}
        contact = {
            "ContactId": self._contact,
            "InitialContactId": self._contact,
            "Channel": "VOICE",
            "LanguageCode": "en-US",
            "CustomerEndpoint": endpoint,
        }
        event = {"Name": "ContactFlowEvent", "Details": {"ContactData": contact, "Parameters": parameters}}
        self.last = json.loads(self._invoke(name, json.dumps(event).encode()).payload)
        return self.last


def measure(say: Say) -> Figures:
    """What `time_decisions` finds on a product of its own."""
    with TemporaryDirectory() as home, Stack(home=Path(home), say=lambda _: None) as stack:
        return time_decisions(stack, say, rounds=ROUNDS)


def time_decisions(stack: Stack, say: Say, *, rounds: int) -> Figures:
    """`edit_heard`, `invalidation_heard`, `incident_heard_waiting` and `incident_over`: the worst, in seconds after saving."""
    site = Site(stack.site_url)
    site.log_in(username=SUPERVISOR, password=stack.password)
    seconds: dict[str, list[float]] = {}
    for number in range(rounds):
        for name, sample in _decide(stack, site, number).items():
            seconds.setdefault(name, []).append(sample)
        say(", ".join(f"{name} {samples[-1]:.2f} s" for name, samples in seconds.items()))
    return {
        name: Figure(max(samples), None, "s", len(samples), f"median {percentile(samples, 0.5):.3f} s", "ours <= 1")
        for name, samples in seconds.items()
    }


def _decide(stack: Stack, site: Site, number: int) -> dict[str, float]:
    page = _find_page(stack, site)
    words = f"Dogs are welcome on a lead, as we decided in round {number}."
    site.send_form(page, {"text": words, "why": "A benchmark."}, field="seen_version")
    edited = _time_until(lambda: Phone(stack).ask(TOPIC, QUESTION)["text"] == words)
    pk = page.strip("/").split("/")[-2]
    site.send_form(f"{ANSWERS}invalidate/?pk={pk}", {"reason": "A benchmark."}, field="reason")
    withdrawn = _time_until(lambda: Phone(stack).ask(TOPIC, QUESTION)["text"] != words)
    switched = _switch_on(stack, site, number)
    _switch_off(site)
    over = _time_until(lambda: Phone(stack).ask(TOPIC, QUESTION)["source"] != "incident")
    return {
        "edit_heard": edited,
        "invalidation_heard": withdrawn,
        "incident_heard_waiting": switched,
        "incident_over": over,
    }


def _find_page(stack: Stack, site: Site) -> str:
    """The page of the question's answer, once it is answered and mirrored."""
    phone = Phone(stack)
    reply = phone.ask(TOPIC, QUESTION)
    _time_until(lambda: reply["statusCode"] == "200" or phone.poll()["statusCode"] in ("200", "500"))
    found: list[str] = []

    def look() -> bool:
        rows = site.read(f"{ANSWERS}?topic={TOPIC}&state=READY").split("<tr")
        found[:] = re.findall(rf"{ANSWERS}\d+/change/", "".join(row for row in rows if QUESTION in row))
        return bool(found)

    _time_until(look)
    return found[0]


def _switch_on(stack: Stack, site: Site, number: int) -> float:
    """Seconds until a caller who waits for an answer, and polls as a flow does, hears the text instead."""
    phone = Phone(stack)
    phone.ask(SLOW_TOPIC, f"What must I know about crossing number {'abcdefghijklmnopqrstuvwxyz'[number]}?")
    heard: list[float] = []

    def wait() -> None:
        while phone.poll()["source"] != "incident" and phone.last["statusCode"] in ("202", "206"):
            pass
        heard.append(time.monotonic() if phone.last["source"] == "incident" else float("inf"))

    caller = threading.Thread(target=wait)
    caller.start()
    time.sleep(0.7 + 0.1 * number % 1)  # somewhere in a hold
    wish: dict[str, Any] = {"text": "No ferry sails today.", "topics": [TOPIC, SLOW_TOPIC], "lasts": "15"}
    site.send_form(f"{INCIDENTS}add/", wish, field="lasts")
    saved = time.monotonic()
    caller.join()
    return max(heard[0] - saved, 0.0)


def _switch_off(site: Site) -> None:
    page = site.read(INCIDENTS)
    for pk in set(re.findall(rf"{INCIDENTS}(\d+)/off/", page)):
        site.press(f"{INCIDENTS}{pk}/off/", on=INCIDENTS)


def _time_until(is_so: Callable[[], bool]) -> float:
    began = time.monotonic()
    while not is_so():
        if time.monotonic() - began > PATIENCE_SECONDS:
            raise TimeoutError("what was decided is not heard")
    return time.monotonic() - began
