"""What docker-compose.yml's containers need before they start: `python -m local.containers`; safe to run again.

The table, queues, bucket and Lambdas in the emulator at AWS_ENDPOINT_URL, the database's tables, the first login and the
demonstration's topics.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from lambdas.build import build_zip
from local.provision import DEAD_LETTERS, QUEUES, Provisioned, local_client, provision
from local.sandbox import Function

ROOT = Path(__file__).resolve().parent.parent
SUPERVISOR = "supervisor"
# The emulator asks for a role and gives none.
ROLE = "arn:aws:iam::000000000000:role/connectgenai"
COMMANDS = (
    ("migrate", "--verbosity", "0"),
    ("ensure_supervisor", SUPERVISOR),
    ("topics", "import", str(ROOT / "local" / "demo" / "topics.yaml")),
)


class SetupError(Exception):
    """The containers' environment does not fit; the message names the variable."""


def main() -> int:
    """The command; 1 and a sentence when something is missing."""
    try:
        endpoint_url = _read("AWS_ENDPOINT_URL")
        made = provision(
            endpoint_url=endpoint_url,
            table=_read("CONNECTGENAI_TABLE"),
            bucket=_read("CONNECTGENAI_BUCKET"),
            caller_keys=_read("CONNECTGENAI_CALLER_KEYS"),
        )
        check_queue_urls(made)
    except SetupError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        code_zip = Path(folder) / "lambdas.zip"
        build_zip(code_zip)
        deploy_functions(
            local_client("lambda", endpoint_url), name_functions(made.environment), code=code_zip.read_bytes()
        )
    for command in COMMANDS:
        subprocess.run([sys.executable, "manage.py", *command], cwd=ROOT, check=True)
    return 0


def _read(name: str) -> str:
    value = os.environ.get(name, "").strip()
    if not value:
        raise SetupError(f"The environment variable {name} is not set; docker-compose.yml sets it.")
    return value


def check_queue_urls(made: Provisioned) -> None:
    """SetupError unless each queue's variable leads to the queue that was made; its host may be another name of the same."""
    for shape in (*QUEUES, DEAD_LETTERS):
        found, wanted = urlsplit(_read(shape.variable)).path, urlsplit(made.queue_urls[shape.name]).path
        if found != wanted:
            raise SetupError(f"The environment variable {shape.variable} must end in {wanted}, not in {found}.")


def name_functions(environment: dict[str, str]) -> list[Function]:
    """The Lambdas as they run in the emulator, which tells them its own address."""
    kept = {name: value for name, value in environment.items() if name.startswith("CONNECTGENAI_")}
    return [
        Function(
            name=f"connectgenai-{part}", handler=f"lambdas.{part}.handler", timeout_seconds=timeout, environment=kept
        )
        for part, timeout in (("producer", 8), ("consumer", 60))
    ]


def deploy_functions(client: Any, functions: Sequence[Function], *, code: bytes) -> None:
    """Creates the functions, or brings their code and environment up to date."""
    for function in functions:
        settings = {
            "FunctionName": function.name,
            "Runtime": "python3.11",
            "Handler": function.handler,
            "Role": ROLE,
            "Timeout": int(function.timeout_seconds),
            "MemorySize": function.memory_mb,
            "Environment": {"Variables": dict(function.environment)},
        }
        try:
            client.create_function(**settings, Code={"ZipFile": code})
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceConflictException":
                raise
            client.update_function_code(FunctionName=function.name, ZipFile=code)
            client.update_function_configuration(**settings)


if __name__ == "__main__":
    sys.exit(main())
