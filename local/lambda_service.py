"""Our own AWS Lambda: functions from the real zip, run as AWS runs them, called through the real Invoke API."""

from __future__ import annotations

import itertools
import math
import tempfile
import threading
import zipfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from local.invoke_api import InvokeApi, ThrottledError, UnknownFunctionError
from local.lambda_meter import FunctionStats, Meter
from local.runtime_dir import build_runtime_dir
from local.sandbox import Function, Result, Sandbox

__all__ = ["Function", "FunctionStats", "LambdaService", "Result", "ThrottledError", "UnknownFunctionError"]


class LambdaService:
    """Serves the Invoke API at `url`, for boto3's `endpoint_url` or AWS_ENDPOINT_URL_LAMBDA; close it, or use `with`.

    The code is unpacked where this repository cannot be imported. A function that is called while its sandboxes are all
    busy gets another, up to `max_concurrency` invocations at once over all functions; idle sandboxes are kept. Each
    function's output goes to `log_dir`/NAME.log.
    """

    def __init__(
        self,
        *,
        functions: Sequence[Function],
        code_zip: Path,
        log_dir: Path | None = None,
        max_concurrency: int = 50,
        runtime_dir: Path | None = None,
    ) -> None:
        self._functions = {function.name: function for function in functions}
        self._meter = Meter(functions)
        self._lock = threading.Lock()
        self._idle: dict[str, list[Sandbox]] = {name: [] for name in self._functions}
        self._busy: set[Sandbox] = set()
        self._is_closed = False
        self._slots = threading.Semaphore(max_concurrency)
        self._later = ThreadPoolExecutor(max_concurrency, thread_name_prefix="lambda-event")
        self._stoppers = ThreadPoolExecutor(8, thread_name_prefix="sandbox-stop")
        self._work_dir = tempfile.TemporaryDirectory(prefix="lambda-")
        work = Path(self._work_dir.name)
        self._code = _unpack(code_zip, work / "task")
        self._runtime = runtime_dir or build_runtime_dir(work / "runtime")
        self.log_dir = log_dir or work / "log"
        self.log_dir.mkdir(parents=True, exist_ok=True)
        self._api = InvokeApi(self)
        self.url = self._api.url

    def invoke(self, name: str, payload: bytes, *, qualifier: str = "", client_context: str = "") -> Result:
        """Runs a function on one event (JSON) and waits for its result.

        Raises UnknownFunctionError, and ThrottledError when too many are running.
        """
        function = self.find(name)
        if not self._slots.acquire(blocking=False):
            self._meter.count_throttle(function)
            raise ThrottledError(name)
        return self._run_in_slot(function, payload, qualifier=qualifier, client_context=client_context)

    def invoke_later(self, name: str, payload: bytes, *, qualifier: str = "", client_context: str = "") -> None:
        """Runs a function on one event as soon as there is room for it; UnknownFunctionError.

        AWS would run it twice more when it fails; here once is all.
        """
        function = self.find(name)

        def run() -> None:
            self._slots.acquire()
            self._run_in_slot(function, payload, qualifier=qualifier, client_context=client_context)

        self._later.submit(run)

    def find(self, name: str) -> Function:
        """The function of that name; UnknownFunctionError when there is none."""
        if name not in self._functions:
            raise UnknownFunctionError(name)
        return self._functions[name]

    def stats(self) -> dict[str, FunctionStats]:
        """What each function's invocations amounted to since the start."""
        return self._meter.read()

    def close(self) -> None:
        """Stops serving and ends every sandbox, in the middle of an invocation too."""
        self._api.close()
        self._later.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            self._is_closed = True
            for sandbox in (*self._busy, *itertools.chain(*self._idle.values())):
                self._stoppers.submit(sandbox.stop)
        self._stoppers.shutdown()
        self._work_dir.cleanup()

    def __enter__(self) -> LambdaService:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run_in_slot(self, function: Function, payload: bytes, *, qualifier: str, client_context: str) -> Result:
        arn = f"{function.arn}:{qualifier}" if qualifier else function.arn
        try:
            sandbox = self._take(function)
            try:
                result = sandbox.invoke(payload, function_arn=arn, client_context=client_context)
            finally:
                self._give_back(sandbox)
        finally:
            self._slots.release()
        self._meter.count_result(function, result)
        self._write_report(function, result)
        return result

    def _take(self, function: Function) -> Sandbox:
        """An idle sandbox, the last used first so that the others may age, or a new one."""
        with self._lock:
            idle = self._idle[function.name]
            while idle:
                sandbox = idle.pop()
                if sandbox.is_usable:
                    self._busy.add(sandbox)
                    return sandbox
                self._stoppers.submit(sandbox.stop)
        return self._add_sandbox(function)

    def _add_sandbox(self, function: Function) -> Sandbox:
        sandbox = Sandbox(function, code=self._code, runtime=self._runtime, log=self._log(function))
        with self._lock:
            if not self._is_closed:
                self._busy.add(sandbox)
                return sandbox
        sandbox.stop()
        raise ThrottledError(function.name)

    def _give_back(self, sandbox: Sandbox) -> None:
        with self._lock:
            self._busy.discard(sandbox)
            if self._is_closed:
                return
            if sandbox.is_usable:
                self._idle[sandbox.function.name].append(sandbox)
            else:
                self._stoppers.submit(sandbox.stop)

    def _log(self, function: Function) -> Path:
        return self.log_dir / f"{function.name}.log"

    def _write_report(self, function: Function, result: Result) -> None:
        init = f"\tInit Duration: {result.init_ms:.2f} ms" if result.init_ms else ""
        billed = math.ceil(result.duration_ms) + math.ceil(result.init_ms)
        line = f"REPORT RequestId: {result.request_id}\tDuration: {result.duration_ms:.2f} ms\tBilled Duration: {billed} ms"
        with self._log(function).open("a") as log:
            log.write(f"{line}\tMemory Size: {function.memory_mb} MB{init}\n")


def _unpack(code_zip: Path, target: Path) -> Path:
    """The zip's content, not to be written to (Lambda's /var/task is read-only)."""
    with zipfile.ZipFile(code_zip) as archive:
        archive.extractall(target)
    for path in (target, *target.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    return target
