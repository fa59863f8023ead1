"""The settings are complete, and nothing of the transport knows Django."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from celery import Celery
from celery.app.defaults import DEFAULTS
from kombu.transport import get_transport_cls

from jobs.celery_settings import SCHEME, celery_settings
from jobs.transport import Transport

URLS = {"cgai-live": "https://sqs.eu-west-2.amazonaws.com/111122223333/cgai-live"}
DEAD = "https://sqs.eu-west-2.amazonaws.com/111122223333/cgai-dead"


def make(**more: Any) -> Celery:
    app = Celery("settings_under_test", set_as_current=False)
    app.conf.update(celery_settings(queue_urls=URLS, dead_letter_url=DEAD, allowed_tasks=["jobs.x"], **more))
    return app


def test_every_setting_is_one_that_celery_knows() -> None:
    given = celery_settings(queue_urls=URLS, dead_letter_url=DEAD, allowed_tasks=())
    assert set(given) <= set(DEFAULTS)


def test_nothing_is_acknowledged_before_it_is_done_or_although_it_failed() -> None:
    def act() -> None: ...

    task: Any = make().task(act)
    assert (task.acks_late, task.acks_on_failure, task.acks_on_timeout) == (True, False, False)
    assert task.reject_on_worker_lost is True


def test_the_broker_url_means_our_transport() -> None:
    app = make()
    assert app.conf.broker_url == f"{SCHEME}://"
    found: Any = get_transport_cls(SCHEME)
    assert found is Transport
    assert app.conf.accept_content == ["json"]


def test_only_named_queues_exist() -> None:
    app = make()
    assert set(app.amqp.queues) == set(URLS)
    assert app.conf.task_create_missing_queues is False


def test_the_region_is_boto3s_own_unless_given() -> None:
    assert "region" not in make().conf.broker_transport_options
    assert make(region="eu-west-2").conf.broker_transport_options["region"] == "eu-west-2"


def test_the_transport_does_without_django() -> None:
    check = "import sys; sys.modules['django'] = None; import jobs.transport, jobs.consumer, jobs.celery_settings"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0


def test_every_channel_polls_on_the_event_loop_that_celery_names() -> None:
    app, loop = make(), object()
    with app.connection_for_read() as opened:
        connection: Any = opened
        early = connection.default_channel
        connection.transport.register_with_event_loop(None, loop)
        late = connection.channel()
        assert [channel.hub for channel in (early, late)] == [loop, loop]
