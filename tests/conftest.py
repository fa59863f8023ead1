"""What every test can have: an emulator of AWS over real HTTP, and nothing of the machine's real AWS account."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from django.db import connection

from connectgenai.wire.config import aws_client
from local.emulator import Emulator, start_emulator
from tests.aws import Aws, make_aws

for _name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[_name]
os.environ.update(
    AWS_CONFIG_FILE=os.devnull,
    AWS_SHARED_CREDENTIALS_FILE=os.devnull,
    AWS_EC2_METADATA_DISABLED="true",
)


# These files take longest; begun first, they end while other processes still have work.
SLOWEST = ("test_postgresql.py", "test_hops.py", "test_protocol_model.py", "test_faults.py", "test_stopping.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The slowest files first, whole and in this order; all others as they were found."""
    items.sort(key=lambda item: SLOWEST.index(item.path.name) if item.path.name in SLOWEST else len(SLOWEST))


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """Without the audit trail's guards: tests that commit are tidied up after by deleting. Tests of the guards bring them back."""
    with django_db_blocker.unblock(), connection.schema_editor() as editor:
        import_module("cache_admin.migrations.0011_audit_trail").remove_guards(None, editor)


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """One emulator for all tests, at `.url`; what a test makes in it must have a name of its own."""
    with start_emulator(state_dir=None, log=tmp_path_factory.mktemp("emulator") / "emulator.log") as running:
        yield running


@pytest.fixture
def aws(emulator: Emulator) -> Aws:
    """A fresh table, queues and bucket, with their names, URLs, clients and `environment`."""
    return make_aws(emulator.url)


@pytest.fixture
def provisioned(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    """The same, with its environment applied to this process."""
    for name, value in aws.environment.items():
        monkeypatch.setenv(name, value)
    aws_client.cache_clear()
    yield aws
    aws_client.cache_clear()


@pytest.fixture
def dynamodb(aws: Aws) -> Any:
    """A DynamoDB client of the emulator."""
    return aws.dynamodb


@pytest.fixture
def sqs(aws: Aws) -> Any:
    """An SQS client of the emulator."""
    return aws.sqs


@pytest.fixture
def s3(aws: Aws) -> Any:
    """An S3 client of the emulator."""
    return aws.s3
