from __future__ import annotations

from django.conf import settings

from connectgenai.celery import app
from connectgenai.wire.request import (
    BATCH_TASK,
    FORGET_TASK,
    HOUSEKEEPING_QUEUE,
    LEARN_TASK,
    LIVE_QUEUE,
    LOOK_TASK,
    MIRROR_TASK,
    RECONCILE_TASK,
)

HOUSEKEEPING = {MIRROR_TASK, LEARN_TASK, FORGET_TASK, LOOK_TASK, RECONCILE_TASK, BATCH_TASK}


def test_every_task_of_the_schedule_exists_and_goes_to_housekeeping() -> None:
    app.loader.import_default_modules()
    planned = {entry["task"]: entry for entry in app.conf.beat_schedule.values()}
    assert set(planned) == HOUSEKEEPING
    assert set(planned) <= set(app.tasks)
    assert {entry["options"]["queue"] for entry in planned.values()} == {HOUSEKEEPING_QUEUE}
    assert planned[MIRROR_TASK]["schedule"] == 2.0


def test_a_late_worker_does_not_mirror_once_for_each_tick_it_missed() -> None:
    entries = app.conf.beat_schedule.values()
    assert all(entry["options"]["expires"] <= 60 for entry in entries if isinstance(entry["schedule"], float))


def test_the_schedules_tasks_are_the_only_ones_that_an_envelope_may_name() -> None:
    safe = app.conf.broker_transport_options["safe"]
    assert set(safe["allowed_tasks"]) == HOUSEKEEPING
    assert safe["silent_queues"] == [LIVE_QUEUE]
    assert safe["dead_letter_url"] == settings.DEAD_LETTER_QUEUE_URL


def test_results_go_to_django_without_callers_words() -> None:
    assert (app.conf.result_backend, app.conf.result_extended) == ("django-db", False)
