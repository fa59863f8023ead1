"""Our Lambda service, called through boto3, running handlers that each show one behaviour of the real one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

import boto3
import pytest
from botocore.config import Config as BotoConfig
from botocore.exceptions import ClientError

from local import sandbox as sandbox_module
from local.lambda_meter import bill
from local.lambda_service import Function, LambdaService, Result, ThrottledError, UnknownFunctionError
from local.runtime_dir import build_runtime_dir

ROOT = Path(__file__).resolve().parents[2]

HANDLERS = """
import importlib.util, json, os, sys, time

calls = 0

def echo(event, context):
    return event

def count(event, context):
    global calls
    calls += 1
    return {"calls": calls, "pid": os.getpid()}

def fail(event, context):
    raise ValueError("no such thing")

def sleep(event, context):
    time.sleep(event["seconds"])
    return os.getpid()

def big(event, context):
    return "x" * event["size"]

def unserialisable(event, context):
    return {"a": object()}

def leave(event, context):
    os._exit(event["status"])

def see(event, context):
    return {
        "environment": dict(os.environ),
        "path": sys.path,
        "cwd": os.getcwd(),
        "found": {name: bool(importlib.util.find_spec(name)) for name in event["names"]},
    }

def describe(event, context):
    client = context.client_context
    return {
        "name": context.function_name,
        "version": context.function_version,
        "memory": context.memory_limit_in_mb,
        "arn": context.invoked_function_arn,
        "request_id": context.aws_request_id,
        "remaining": context.get_remaining_time_in_millis(),
        "log_group": context.log_group_name,
        "custom": client.custom if client else None,
    }

def speak(event, context):
    print("a line for the log")

def write(event, context):
    with open(event["path"], "w") as file:
        file.write("was here")
"""
BROKEN = {"missing.py": "import nowhere_to_be_found\n", "wrong.py": "def handler(:\n", "raising.py": "1 / 0\n"}
QUITTING = {"quitting.py": "import sys\nsys.exit(3)\n"}


@pytest.fixture(scope="module")
def code_zip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("code") / "code.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in {"handlers.py": HANDLERS, **BROKEN, **QUITTING}.items():
            archive.writestr(name, text)
    return path


def make_functions() -> list[Function]:
    names = ("echo", "count", "fail", "big", "unserialisable", "leave", "see", "describe", "speak", "write")
    return [
        *(Function(name, f"handlers.{name}", environment={"COLOUR": "blue"}) for name in names),
        Function("nap", "handlers.sleep", timeout_seconds=60),
        Function("slow", "handlers.sleep", timeout_seconds=1),
        *(Function(name.removesuffix(".py"), f"{name.removesuffix('.py')}.handler") for name in {**BROKEN, **QUITTING}),
        Function("no-function", "handlers.absent"),
    ]


@pytest.fixture(scope="module")
def service(code_zip: Path) -> Iterator[LambdaService]:
    with LambdaService(functions=make_functions(), code_zip=code_zip) as running:
        yield running


@pytest.fixture(scope="module")
def client(service: LambdaService) -> Any:
    return make_client(service.url)


def make_client(url: str) -> Any:
    config = BotoConfig(retries={"total_max_attempts": 1}, read_timeout=120, max_pool_connections=50)
    return boto3.client(
        "lambda",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=config,
    )


def call(client: Any, name: str, event: object = None, **more: str) -> Any:
    """The function's result; its error payload counts as one."""
    reply = client.invoke(FunctionName=name, Payload=json.dumps(event), **more)
    return json.loads(reply["Payload"].read())


def call_badly(client: Any, name: str, event: object = None) -> dict[str, Any]:
    """The payload of a function error."""
    reply = client.invoke(FunctionName=name, Payload=json.dumps(event))
    assert (reply["StatusCode"], reply["FunctionError"]) == (200, "Unhandled")
    payload: dict[str, Any] = json.loads(reply["Payload"].read())
    return payload


def wait_for(condition: Any, *, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_function_gets_the_event_and_its_result_comes_back(client: Any) -> None:
    event = {"words": ["ça va?", "\U0001f600"], "none": None}
    reply = client.invoke(FunctionName="echo", Payload=json.dumps(event))
    assert json.loads(reply["Payload"].read()) == event
    assert (reply["StatusCode"], reply["ExecutedVersion"], "FunctionError" in reply) == (200, "$LATEST", False)


def test_without_a_payload_the_event_is_an_empty_map(client: Any) -> None:
    assert json.loads(client.invoke(FunctionName="echo")["Payload"].read()) == {}


@pytest.mark.parametrize(
    "name",
    [
        "echo",
        "echo:live",
        "000000000000:function:echo",
        "arn:aws:lambda:us-east-1:000000000000:function:echo",
        "arn:aws:lambda:us-east-1:000000000000:function:echo:live",
        "arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:echo:$LATEST",
    ],
)
def test_a_function_is_found_by_its_name_or_arn_with_or_without_an_alias(client: Any, name: str) -> None:
    assert call(client, name, "hello") == "hello"


def test_the_context_is_lambdas(client: Any) -> None:
    reply = client.invoke(FunctionName="describe", Payload="{}", Qualifier="live")
    context = json.loads(reply["Payload"].read())
    assert 0 < context.pop("remaining") <= 8_000
    assert context.pop("request_id") == reply["ResponseMetadata"]["RequestId"]
    assert context == {
        "name": "describe",
        "version": "$LATEST",
        "memory": "256",
        "arn": "arn:aws:lambda:us-east-1:000000000000:function:describe:live",
        "log_group": "/aws/lambda/describe",
        "custom": None,
    }


def test_the_client_context_is_passed_on(client: Any) -> None:
    context = "eyJjdXN0b20iOiB7ImNvbG91ciI6ICJibHVlIn19"  # {"custom": {"colour": "blue"}}
    assert call(client, "describe", {}, ClientContext=context)["custom"] == {"colour": "blue"}


def test_an_unknown_function_is_not_found(client: Any, service: LambdaService) -> None:
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.invoke(FunctionName="nobody")
    with pytest.raises(UnknownFunctionError):
        service.invoke("nobody", b"{}")


def test_a_payload_that_is_not_json_is_refused(client: Any) -> None:
    with pytest.raises(client.exceptions.InvalidRequestContentException):
        client.invoke(FunctionName="echo", Payload=b"{")


def test_a_payload_of_more_than_six_megabytes_is_refused(client: Any) -> None:
    with pytest.raises(client.exceptions.RequestTooLargeException):
        client.invoke(FunctionName="echo", Payload=json.dumps("x" * 6 * 1024 * 1024))


def test_a_name_that_cannot_be_one_is_refused(client: Any) -> None:
    with pytest.raises(ClientError, match="ValidationException"):
        client.invoke(FunctionName="a b")


def test_an_exception_comes_back_with_its_type_message_and_stack(client: Any) -> None:
    error = call_badly(client, "fail")
    assert (error["errorType"], error["errorMessage"]) == ("ValueError", "no such thing")
    assert "handlers.py" in error["stackTrace"][0]


def test_after_an_exception_the_sandbox_is_used_again(client: Any, service: LambdaService) -> None:
    call_badly(client, "fail")
    before = service.stats()["fail"]
    call_badly(client, "fail")
    after = service.stats()["fail"]
    assert (after.errors - before.errors, after.cold_starts - before.cold_starts) == (1, 0)


def test_a_result_that_json_cannot_hold_is_a_marshal_error(client: Any) -> None:
    assert call_badly(client, "unserialisable")["errorType"] == "Runtime.MarshalError"


def test_a_function_is_killed_at_its_time_out_and_the_next_call_finds_a_new_sandbox(
    client: Any, service: LambdaService
) -> None:
    begun = time.monotonic()
    error = call_badly(client, "slow", {"seconds": 300})
    assert time.monotonic() - begun < 60
    assert error["errorType"] == "Sandbox.Timedout"
    assert error["errorMessage"].startswith("RequestId: ")
    assert error["errorMessage"].endswith(" Error: Task timed out after 1.00 seconds")
    cold_starts = service.stats()["slow"].cold_starts
    assert isinstance(call(client, "slow", {"seconds": 0}), int)
    assert service.stats()["slow"].cold_starts == cold_starts + 1


def test_a_killed_functions_process_is_gone(client: Any) -> None:
    pid = call(client, "slow", {"seconds": 0})
    call_badly(client, "slow", {"seconds": 300})
    wait_for(lambda: not is_alive(pid))


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that has ended, and that nobody has asked about yet, does not."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except ProcessLookupError:
        return False
    except FileNotFoundError:  # it ended just now, or this system has no /proc
        return sys.platform != "linux"


def test_six_megabytes_are_the_most_that_a_result_can_be(client: Any) -> None:
    assert len(call(client, "big", {"size": 6 * 1024 * 1024})) == 6 * 1024 * 1024
    error = call_badly(client, "big", {"size": 7 * 1024 * 1024})
    assert error["errorType"] == "Function.ResponseSizeTooLarge"
    assert "7340034 bytes" in error["errorMessage"]
    assert call(client, "big", {"size": 1}) == "x"


@pytest.mark.parametrize(
    ("function", "kind", "message"),
    [
        ("missing", "Runtime.ImportModuleError", "No module named 'nowhere_to_be_found'"),
        ("wrong", "Runtime.UserCodeSyntaxError", "Syntax error in module 'wrong'"),
        ("raising", "ZeroDivisionError", "division by zero"),
        ("no-function", "Runtime.HandlerNotFound", "Handler 'absent' missing on module 'handlers'"),
        ("quitting", "Runtime.ExitError", "Runtime exited with error: exit status 3"),
    ],
)
def test_an_error_at_initialisation_is_the_invocations_error(
    client: Any, function: str, kind: str, message: str
) -> None:
    error = call_badly(client, function)
    assert error["errorType"] == kind
    assert message in error["errorMessage"]


def test_every_call_after_an_error_at_initialisation_tries_again(client: Any, service: LambdaService) -> None:
    call_badly(client, "raising")
    before = service.stats()["raising"].cold_starts
    call_badly(client, "raising")
    assert service.stats()["raising"].cold_starts == before + 1


@pytest.mark.parametrize(
    ("status", "words"),
    [(3, "Runtime exited with error: exit status 3"), (0, "Runtime exited without providing a reason")],
)
def test_a_process_that_ends_in_the_middle_is_an_exit_error(client: Any, status: int, words: str) -> None:
    error = call_badly(client, "leave", {"status": status})
    assert error["errorType"] == "Runtime.ExitError"
    assert error["errorMessage"].endswith(f" Error: {words}")


def test_an_initialisation_that_hangs_is_ended(code_zip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox_module, "INIT_SECONDS", 0.001)
    with LambdaService(functions=[Function("echo", "handlers.echo")], code_zip=code_zip) as service:
        result = service.invoke("echo", b"{}")
    assert json.loads(result.payload)["errorType"] == "Sandbox.Timedout"


def test_a_function_sees_its_own_variables_and_lambdas_and_no_others(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_SERVICE", "x")
    seen = call(client, "see", {"names": []})["environment"]
    assert seen["COLOUR"] == "blue"
    own = {name for name in seen if not name.startswith(("AWS_", "_X_AMZN", "LAMBDA_"))}
    assert own - {"LC_CTYPE"} == {"COLOUR", "LANG", "PATH", "PYTHONPATH", "TZ", "_HANDLER"}
    assert seen["AWS_LAMBDA_FUNCTION_NAME"] == "see"


def test_a_function_can_import_boto3_and_its_own_code_but_neither_the_repository_nor_other_packages(
    client: Any,
) -> None:
    names = ["boto3", "handlers", "connectgenai", "local", "lambdas", "django", "celery", "yaml"]
    seen = call(client, "see", {"names": names})
    assert seen["found"] == {name: name in ("boto3", "handlers") for name in names}
    assert not [path for path in seen["path"] if path.startswith(str(ROOT))]
    assert seen["cwd"] == seen["path"][0] == seen["environment"]["LAMBDA_TASK_ROOT"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_function_cannot_write_beside_its_code(client: Any) -> None:
    assert call_badly(client, "write", {"path": "here.txt"})["errorType"] == "PermissionError"


def test_a_running_function_leaves_no_byte_code_beside_its_code(client: Any) -> None:
    seen = call(client, "see", {"names": []})
    assert sorted(path.name for path in Path(seen["cwd"]).rglob("*") if "__pycache__" in str(path)) == []


def test_what_a_function_prints_is_in_its_log_with_a_report(client: Any, service: LambdaService) -> None:
    reply = client.invoke(FunctionName="speak")
    log = (service.log_dir / "speak.log").read_text()
    assert "a line for the log" in log
    assert f"REPORT RequestId: {reply['ResponseMetadata']['RequestId']}\tDuration: " in log
    assert "Memory Size: 256 MB\tInit Duration: " in log


def test_one_sandbox_serves_call_after_call(client: Any) -> None:
    first, second = call(client, "count"), call(client, "count")
    assert (second["calls"], second["pid"]) == (first["calls"] + 1, first["pid"])


def test_calls_at_the_same_time_each_have_a_sandbox_of_their_own(client: Any, service: LambdaService) -> None:
    with ThreadPoolExecutor(4) as callers:
        pids = list(callers.map(lambda _: call(client, "nap", {"seconds": 3}), range(4)))
    assert len(set(pids)) == 4
    assert call(client, "nap", {"seconds": 0}) in pids
    assert service.stats()["nap"].cold_starts == 4


def test_more_calls_than_allowed_at_once_are_throttled(code_zip: Path) -> None:
    function = Function("nap", "handlers.sleep", timeout_seconds=120)
    with LambdaService(functions=[function], code_zip=code_zip, max_concurrency=2) as service:
        client = make_client(service.url)
        with ThreadPoolExecutor(2) as callers:
            running = [callers.submit(call, client, "nap", {"seconds": 5}) for _ in range(2)]
            wait_for(lambda: len(service._busy) == 2)
            with pytest.raises(client.exceptions.TooManyRequestsException):
                client.invoke(FunctionName="nap", Payload='{"seconds": 0}')
            with pytest.raises(ThrottledError):
                service.invoke("nap", b"{}")
            assert len({future.result() for future in running}) == 2
        assert call(client, "nap", {"seconds": 0})
        assert service.stats()["nap"].throttles == 2


def test_an_event_is_accepted_at_once_and_run_later(client: Any, service: LambdaService, tmp_path: Path) -> None:
    event = json.dumps({"path": str(tmp_path / "proof")})
    reply = client.invoke(FunctionName="write", InvocationType="Event", Payload=event)
    assert (reply["StatusCode"], reply["Payload"].read()) == (202, b"")
    wait_for((tmp_path / "proof").exists)


def test_an_event_for_an_unknown_function_is_refused(client: Any) -> None:
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.invoke(FunctionName="nobody", InvocationType="Event")


def test_a_dry_run_runs_nothing(client: Any, service: LambdaService) -> None:
    before = service.stats()["echo"].invocations
    assert client.invoke(FunctionName="echo", InvocationType="DryRun")["StatusCode"] == 204
    assert service.stats()["echo"].invocations == before


def test_stats_count_calls_cold_starts_and_gigabyte_seconds(code_zip: Path) -> None:
    function = Function("nap", "handlers.sleep", memory_mb=512)
    with LambdaService(functions=[function], code_zip=code_zip) as service:
        for _ in range(3):
            service.invoke("nap", b'{"seconds": 0.2}')
        stats = service.stats()["nap"]
    assert (stats.invocations, stats.errors, stats.cold_starts) == (3, 0, 1)
    assert all(200 <= duration < 60_000 for duration in stats.durations_ms)
    assert stats.gb_seconds >= 3 * 0.2 * 0.5


def test_a_bill_counts_whole_milliseconds_and_the_initialisation() -> None:
    result = Result("r", b"", is_error=False, duration_ms=1.2, init_ms=97.5)
    assert bill(Function("f", "f.f", memory_mb=1024), result) == pytest.approx(0.100)


def test_a_warm_call_costs_a_few_milliseconds(service: LambdaService) -> None:
    service.invoke("echo", b"{}")
    for _ in range(200):
        service.invoke("echo", b'{"a": 1}')
    # 1 ms on a free core; Nagle's algorithm alone would make it 40 and more
    assert median(service.stats()["echo"].durations_ms[-200:]) < 30


def test_where_aws_does_not_build_its_native_client_ours_takes_its_place(code_zip: Path, tmp_path: Path) -> None:
    runtime = build_runtime_dir(tmp_path / "runtime", native=False)
    functions = [Function(name, f"handlers.{name}") for name in ("echo", "fail", "big", "describe")]
    with LambdaService(functions=functions, code_zip=code_zip, runtime_dir=runtime) as service:
        client = make_client(service.url)
        assert [call(client, "echo", {"ça": n}) for n in range(3)] == [{"ça": n} for n in range(3)]
        assert call_badly(client, "fail")["errorType"] == "ValueError"
        assert call_badly(client, "big", {"size": 7 * 1024 * 1024})["errorType"] == "Function.ResponseSizeTooLarge"
        assert 0 < call(client, "describe", {}, Qualifier="live")["remaining"] <= 8_000


def test_closing_ends_every_sandbox_and_leaves_no_files(code_zip: Path) -> None:
    service = LambdaService(functions=[Function("nap", "handlers.sleep", timeout_seconds=300)], code_zip=code_zip)
    folder = service._code.parent
    idle = json.loads(service.invoke("nap", b'{"seconds": 0}').payload)
    caller = threading.Thread(target=service.invoke, args=("nap", b'{"seconds": 300}'))
    caller.start()
    wait_for(lambda: service._busy)
    service.close()
    caller.join(60)
    assert not caller.is_alive()
    assert not is_alive(idle)
    assert not folder.exists()


PARENT = """
import sys, time
from pathlib import Path
from local.lambda_service import Function, LambdaService
service = LambdaService(functions=[Function("nap", "handlers.sleep", timeout_seconds=600)], code_zip=Path(sys.argv[1]))
print(service.invoke("nap", b'{"seconds": 0}').payload.decode(), flush=True)
service.invoke("nap", b'{"seconds": 600}')
"""


def test_sandboxes_end_with_the_service_even_when_it_is_killed(code_zip: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", PARENT, str(code_zip)]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        time.sleep(0.5)
        assert is_alive(pid)
        parent.kill()
    wait_for(lambda: not is_alive(pid))
