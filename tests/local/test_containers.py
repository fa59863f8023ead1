"""What the containers' setup makes in the emulator and in the database."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from lambdas.build import build_zip
from local.containers import SetupError, check_queue_urls, deploy_functions, name_functions
from local.emulator import Emulator, start_emulator
from local.provision import Provisioned, local_client, provision

ROOT = Path(__file__).resolve().parents[2]
EVENT = {
    "Details": {"Parameters": {"topic": "nowhere", "question": "Are you open?"}, "ContactData": {"ContactId": "c"}}
}


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """An emulator of its own: the setup takes the product's own names."""
    with start_emulator(state_dir=None, log=tmp_path_factory.mktemp("own") / "emulator.log") as running:
        yield running


@pytest.fixture(scope="module")
def made(own: Emulator) -> Provisioned:
    return provision(endpoint_url=own.url)


@pytest.fixture
def code(tmp_path: Path) -> bytes:
    build_zip(tmp_path / "lambdas.zip")
    return (tmp_path / "lambdas.zip").read_bytes()


def invoke(client: Any, part: str) -> dict[str, Any]:
    reply = client.invoke(FunctionName=f"connectgenai-{part}", Payload=json.dumps(EVENT).encode())
    payload: dict[str, Any] = json.loads(reply["Payload"].read())
    return payload


def test_the_emulator_runs_both_lambdas_from_their_zip(own: Emulator, made: Provisioned, code: bytes) -> None:
    client = local_client("lambda", own.url)
    deploy_functions(client, name_functions(made.environment), code=code)
    assert [invoke(client, part)["statusCode"] for part in ("producer", "consumer")] == ["400", "400"]


def test_a_second_setup_brings_the_lambdas_environment_up_to_date(
    own: Emulator, made: Provisioned, code: bytes
) -> None:
    client = local_client("lambda", own.url)
    deploy_functions(client, name_functions(made.environment), code=code)
    broken = {**made.environment, "CONNECTGENAI_LIVE_QUEUE_URL": "nonsense"}
    deploy_functions(client, name_functions(broken), code=code)
    assert "CONNECTGENAI_LIVE_QUEUE_URL must be a URL" in invoke(client, "producer")["errorMessage"]


def test_a_queue_under_another_host_name_is_the_same_queue(made: Provisioned, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value.replace("127.0.0.1", "aws"))
    check_queue_urls(made)


def test_a_variable_that_leads_to_another_queue_is_named(made: Provisioned, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CONNECTGENAI_PREWARM_QUEUE_URL", made.queue_urls["cgai-live"])
    with pytest.raises(SetupError, match="CONNECTGENAI_PREWARM_QUEUE_URL must end in /000000000000/cgai-prewarm"):
        check_queue_urls(made)


def run_setup(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "local.containers"]
    environment = {"PATH": os.environ["PATH"], "AWS_CONFIG_FILE": os.devnull, **environment}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_the_setup_makes_the_tables_the_login_and_the_topics_and_may_run_again(
    made: Provisioned, tmp_path: Path
) -> None:
    environment = {
        **made.environment,
        "CONNECTGENAI_SECRET_KEY": "only-for-tests-only-for-tests-only-for-tests",
        "CONNECTGENAI_DEBUG": "1",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}",
        "SUPERVISOR_PASSWORD": "only-for-tests-0003",
    }
    for _ in range(2):
        done = run_setup(environment)
        assert done.returncode == 0, done.stderr
    with closing(sqlite3.connect(tmp_path / "db.sqlite3")) as database:
        assert database.execute("SELECT username FROM auth_user").fetchall() == [("supervisor",)]
        assert ("store-faq",) in database.execute("SELECT name FROM cache_admin_topic").fetchall()


def test_a_missing_variable_is_named(made: Provisioned) -> None:
    environment = {name: value for name, value in made.environment.items() if name != "CONNECTGENAI_TABLE"}
    done = run_setup(environment)
    assert (done.returncode, done.stderr) == (
        1,
        "The environment variable CONNECTGENAI_TABLE is not set; docker-compose.yml sets it.\n",
    )
