"""The two designs, each running under the same LambdaService, with an account of what it consumes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config as BotoConfig

from benchmarks.capacity_meter import CapacityMeter
from benchmarks.naive.build import build_naive_zip
from flows.caller import CONSUMER, PRODUCER, Dialled
from flows.lambda_phone import LambdaPhone
from lambdas.build import build_zip
from local.lambda_service import Function, LambdaService
from local.provision import CREDENTIALS, REGION, Provisioned, provision

INTERVAL_SECONDS = 7.0
CALLERS_AT_ONCE = 64
TIMEOUTS = {PRODUCER: 8.0, CONSUMER: 60.0}


@dataclass(frozen=True, slots=True)
class Account:
    """What a side has consumed."""

    invocations: int
    gb_seconds: float
    read_units: float
    write_units: float

    def since(self, before: Account) -> Account:
        """What was consumed after `before`."""
        return Account(
            self.invocations - before.invocations,
            self.gb_seconds - before.gb_seconds,
            self.read_units - before.read_units,
            self.write_units - before.write_units,
        )


@dataclass(frozen=True, slots=True)
class Side:
    """One design's Lambdas, its table and its account."""

    name: str
    made: Provisioned
    lambdas: LambdaService
    meter: CapacityMeter
    phone: LambdaPhone

    def read_account(self) -> Account:
        """What the Lambdas have consumed since the start, in DynamoDB too."""
        stats = self.lambdas.stats().values()
        reads, writes, _ = self.meter.read()
        return Account(sum(s.invocations for s in stats), sum(s.gb_seconds for s in stats), reads, writes)

    def warm_up(self, function: str, parameters: Mapping[str, str], *, count: int) -> None:
        """Starts sandboxes by calling the function from so many callers at once."""
        events = [Dialled(topic="", question="", contact_id=f"warm-{n}").event(**parameters) for n in range(count)]
        with ThreadPoolExecutor(count) as pool:
            list(pool.map(partial(self.phone.invoke, function), events))


@contextmanager
def open_ours(endpoint_url: str, *, home: Path) -> Iterator[Side]:
    """The product's Lambdas, from the zip that is deployed."""
    made = provision(endpoint_url=endpoint_url, table="ours", bucket="bench", queue_prefix="ours-")
    code_zip = home / "lambdas.zip"
    build_zip(code_zip)
    with open_side("ours", made, code_zip=code_zip, package="lambdas", environment=made.environment, home=home) as side:
        yield side


@contextmanager
def open_naive(endpoint_url: str, *, home: Path) -> Iterator[Side]:
    """The naive design's Lambdas."""
    made = provision(endpoint_url=endpoint_url, table="naive", bucket="bench", queue_prefix="naive-")
    environment = {
        **{name: value for name, value in made.environment.items() if name.startswith("AWS_")},
        "NAIVE_TABLE": made.table,
        "NAIVE_QUEUE_URL": made.queue_urls["cgai-live"],
        "NAIVE_INTERVAL": str(INTERVAL_SECONDS),
    }
    code_zip = build_naive_zip(home / "naive.zip")
    with open_side(
        "naive", made, code_zip=code_zip, package="benchmarks.naive", environment=environment, home=home
    ) as side:
        yield side


@contextmanager
def open_side(
    name: str, made: Provisioned, *, code_zip: Path, package: str, environment: Mapping[str, str], home: Path
) -> Iterator[Side]:
    """Two functions of a package's modules `producer` and `consumer`, their DynamoDB metered."""
    with CapacityMeter(made.environment["AWS_ENDPOINT_URL"]) as meter:
        metered = {**environment, "AWS_ENDPOINT_URL_DYNAMODB": meter.url}
        functions = [
            Function(
                name=function,
                handler=f"{package}.{function.removeprefix('connectgenai-')}.handler",
                timeout_seconds=seconds,
                environment=metered,
            )
            for function, seconds in TIMEOUTS.items()
        ]
        with LambdaService(
            functions=functions, code_zip=code_zip, log_dir=home / name, max_concurrency=2 * CALLERS_AT_ONCE
        ) as lambdas:
            yield Side(name, made, lambdas, meter, LambdaPhone(many_connections("lambda", lambdas.url)))


def many_connections(service: str, endpoint_url: str) -> Any:
    """A client of the emulator for many threads at once, which tries once: a retry would be measured as slowness."""
    return boto3.client(  # type: ignore[call-overload]  # the stubs know services as literals only
        service,
        endpoint_url=endpoint_url,
        region_name=REGION,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        config=BotoConfig(
            max_pool_connections=2 * CALLERS_AT_ONCE,
            connect_timeout=10,
            read_timeout=90,
            retries={"mode": "standard", "total_max_attempts": 1},
        ),
    )
