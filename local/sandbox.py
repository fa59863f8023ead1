"""One Lambda sandbox: a process that runs one function through AWS's own runtime client, one event at a time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty

from local.runtime_api import Invocation, Kind, Report, RuntimeApi
from local.tether import tethered_command

REGION = "us-east-1"
ACCOUNT = "000000000000"
# AWS gives the initialisation 10 s; a laptop that is busy with something else gets more, rather than odd failures.
INIT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Function:
    """A Lambda function's configuration."""

    name: str
    handler: str
    timeout_seconds: float = 8
    memory_mb: int = 256
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """The name that other services know it by."""
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{self.name}"


@dataclass(frozen=True, slots=True)
class Result:
    """What an invocation came to; `is_error` is what AWS calls a function error, and the payload then describes it."""

    request_id: str
    payload: bytes
    is_error: bool
    duration_ms: float
    init_ms: float = 0.0


class Sandbox:
    """A started process; `is_usable` until an invocation has cost it its life."""

    def __init__(self, function: Function, *, code: Path, runtime: Path, log: Path) -> None:
        self.function = function
        self._api = RuntimeApi()
        self._started = time.monotonic()
        self._init_ms = 0.0
        self._is_lost = False
        self._process = _spawn(function, address=self._api.address, code=code, runtime=runtime, log=log)
        threading.Thread(target=self._report_exit, name="sandbox-exit", daemon=True).start()

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    @property
    def is_usable(self) -> bool:
        """Whether it can take another event."""
        return not self._is_lost and self._process.poll() is None

    def invoke(self, payload: bytes, *, function_arn: str, client_context: str = "") -> Result:
        """Runs the function on one event, killing it at its time-out; errors come back as AWS words them."""
        request_id = str(uuid.uuid4())
        init_ms, failure = self._initialise()
        begun = time.monotonic()
        if failure is None:
            deadline_ms = int((time.time() + self.function.timeout_seconds) * 1000)
            self._api.invocations.put(Invocation(request_id, function_arn, payload, deadline_ms, client_context))
        report = failure or self._await_outcome(request_id)
        duration_ms = (time.monotonic() - begun) * 1000
        self._is_lost = self._is_lost or report.kind not in (Kind.RESPONSE, Kind.ERROR)
        answer = _describe_failure(report, request_id)
        return Result(request_id, answer, report.kind is not Kind.RESPONSE, duration_ms, init_ms)

    def stop(self) -> None:
        """Ends the process and its Runtime API."""
        self._process.kill()
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._api.close()

    def _initialise(self) -> tuple[float, Report | None]:
        """The milliseconds from the process's start until its module was loaded (0.0: it was already), or what went wrong."""
        if self._init_ms:
            return 0.0, None
        report = self._next_report(INIT_SECONDS, limit=INIT_SECONDS)
        self._init_ms = (time.monotonic() - self._started) * 1000
        return self._init_ms, None if report.kind is Kind.READY else report

    def _await_outcome(self, request_id: str) -> Report:
        limit = self.function.timeout_seconds
        deadline = time.monotonic() + limit
        while True:
            report = self._next_report(deadline - time.monotonic(), limit=limit)
            if report.request_id == request_id or report.kind in (Kind.EXIT, Kind.TIMEOUT):
                return report

    def _next_report(self, seconds: float, *, limit: float) -> Report:
        try:
            return self._api.reports.get(timeout=max(seconds, 0.0))
        except Empty:
            self._process.kill()
            return Report(Kind.TIMEOUT, f"Task timed out after {limit:.2f} seconds".encode())

    def _report_exit(self) -> None:
        status = self._process.wait()
        ends = {True: f"with error: exit status {status}", False: f"with error: signal: {-status}"}
        words = f"Runtime exited {ends[status > 0]}" if status else "Runtime exited without providing a reason"
        self._api.reports.put(Report(Kind.EXIT, words.encode()))


def _describe_failure(report: Report, request_id: str) -> bytes:
    """The payload that the invoker gets: the function's own words, or Lambda's about a process that is no more."""
    types = {Kind.EXIT: "Runtime.ExitError", Kind.TIMEOUT: "Sandbox.Timedout"}
    if report.kind not in types:
        return report.payload
    message = f"RequestId: {request_id} Error: {report.payload.decode()}"
    return json.dumps({"errorType": types[report.kind], "errorMessage": message}).encode()


def _spawn(function: Function, *, address: str, code: Path, runtime: Path, log: Path) -> subprocess.Popen[bytes]:
    # -S: no site-packages but the runtime's. -B: /var/task is read-only, no byte code can be kept there.
    command = tethered_command("awslambdaric", function.handler, flags=("-S", "-B"))
    environment = {**_lambda_environment(function, address=address, code=code, runtime=runtime), **function.environment}
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            cwd=code,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _lambda_environment(function: Function, *, address: str, code: Path, runtime: Path) -> dict[str, str]:
    """What Lambda sets: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html"""
    return {
        "_HANDLER": function.handler,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info.major}.{sys.version_info.minor}",
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": f"$LATEST/{uuid.uuid4().hex}",
        "AWS_LAMBDA_RUNTIME_API": address,
        "LAMBDA_RUNTIME_DIR": str(runtime),
        "LAMBDA_TASK_ROOT": str(code),
        "LANG": "C.UTF-8",
        "PATH": os.defpath,
        "PYTHONPATH": str(runtime),
        "TZ": ":UTC",
    }
