"""The Celery app that the workers under test run: our settings, and tasks that do what a question says and note it in a file."""

from __future__ import annotations

import json
import os
import signal
import time
from typing import Any

from celery import Celery, Task, bootsteps

from connectgenai.wire.request import GENERATE_TASK, MIRROR_TASK
from jobs.celery_settings import celery_settings

_given: dict[str, Any] = json.loads(os.environ["WORKER_APP"])
app = Celery("worker_under_test")
app.conf.update(celery_settings(**_given["celery"]))
app.conf.update(_given["more"])


class LoseConnection(bootsteps.StartStopStep):
    """Once, after so many seconds, the event loop meets what Celery takes for a lost connection."""

    requires = ("celery.worker.consumer.tasks:Tasks",)
    seconds = _given["loses_connection_after"]

    def start(self, consumer: Any) -> None:
        """Sets the timer, at the first start only."""
        if self.seconds and not consumer.restart_count:
            consumer.hub.call_later(self.seconds, consumer.hub.call_soon, _break)


def _break() -> None:
    raise ConnectionResetError


app.steps["consumer"].add(LoseConnection)


def _note(event: str, task: Task[Any, Any], **more: Any) -> None:
    line = json.dumps({"event": event, "task": task.name, "id": task.request.id, "at": time.time(), **more})
    descriptor = os.open(_given["runs"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, f"{line}\n".encode())
    os.close(descriptor)


@app.task(name=GENERATE_TASK, bind=True)
def generate_answer(self: Task[Any, Any], request: dict[str, Any]) -> str:
    """Does what the question says: "sleep SECONDS", "raise", "retry", "kill-me-once"; anything else is answered at once."""
    verb, _, rest = request.get("question", "").partition(" ")
    attributes = (self.request.properties or {})["delivery_info"]["sqs_message"]["Attributes"]
    receives = int(attributes["ApproximateReceiveCount"])
    _note("start", self, question=request.get("question"), receives=receives)
    if verb == "sleep":
        time.sleep(float(rest.split()[0]))
    if verb == "raise":
        raise RuntimeError("as the question demands")
    if verb == "kill-me-once" and receives == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    if verb == "retry" and self.request.retries == 0:
        raise self.retry(countdown=1)
    _note("end", self)
    return "answered"


@app.task(name=MIRROR_TASK, bind=True)
def mirror_changes(self: Task[Any, Any]) -> None:
    """A task of Celery's own kind."""
    _note("start", self)


@app.task(name="jobs.forbidden", bind=True)
def forbidden(self: Task[Any, Any], *_args: Any, **_kwargs: Any) -> None:
    """Must never run."""
    _note("start", self)
