"""The environment, read once, for the parts that know nothing of Django."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import botocore.session
from botocore.config import Config as BotoConfig

EXAMPLES = {
    "CONNECTGENAI_TABLE": "connectgenai",
    "CONNECTGENAI_LIVE_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/111122223333/cgai-live",
    "CONNECTGENAI_PREWARM_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/111122223333/cgai-prewarm",
    "CONNECTGENAI_HOUSEKEEPING_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/111122223333/cgai-housekeeping",
    "CONNECTGENAI_DEAD_LETTER_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/111122223333/cgai-dead",
    "CONNECTGENAI_BUCKET": "my-company-connectgenai",
    "CONNECTGENAI_CALLER_KEYS": "k1:a-secret-of-at-least-16-characters",
}

_making = threading.Lock()  # sessions, unlike clients, are not for many threads


class ConfigError(Exception):
    """A variable is missing or malformed; the message names it and shows an example."""


def read_variable(name: str, env: Mapping[str, str] | None = None) -> str:
    """The variable's value; ConfigError when it is missing or blank."""
    value = (os.environ if env is None else env).get(name, "").strip()
    if not value:
        raise ConfigError(f"The environment variable {name} is not set. Example: {name}={EXAMPLES[name]}")
    return value


def read_url(name: str, env: Mapping[str, str] | None = None) -> str:
    """The variable's value, an http(s) URL; ConfigError otherwise."""
    value = read_variable(name, env)
    if not value.startswith(("https://", "http://")):
        raise ConfigError(
            f"The environment variable {name} must be a URL, not {value!r}. Example: {name}={EXAMPLES[name]}"
        )
    return value


def read_caller_keys(env: Mapping[str, str] | None = None) -> tuple[tuple[str, bytes], ...]:
    """The keys that hash callers' numbers, the current one first: (id, secret of at least 16 characters) each."""
    name = "CONNECTGENAI_CALLER_KEYS"
    pairs = [part.strip().partition(":") for part in read_variable(name, env).split(",")]
    if not all(key_id.isalnum() and len(secret) >= 16 for key_id, _, secret in pairs):
        raise ConfigError(
            f"The environment variable {name} must be id:secret pairs with commas between, each secret at least 16 characters long."
            f" Example: {name}={EXAMPLES[name]}"
        )
    return tuple((key_id, secret.encode()) for key_id, _, secret in pairs)


@dataclass(frozen=True, slots=True)
class LambdaConfig:
    """What the two Lambdas need to know."""

    table: str
    live_queue_url: str
    caller_keys: tuple[tuple[str, bytes], ...]

    @classmethod
    def from_environment(cls, env: Mapping[str, str] | None = None) -> LambdaConfig:
        """Reads and checks the variables; ConfigError names the first that is wrong."""
        return cls(
            read_variable("CONNECTGENAI_TABLE", env),
            read_url("CONNECTGENAI_LIVE_QUEUE_URL", env),
            read_caller_keys(env),
        )


@lru_cache(maxsize=16)
def aws_client(service: Any, *, connections: int = 10, attempts: int = 3, read_seconds: float = 2) -> Any:
    """The process's one client for an AWS service, with short time-outs; endpoint and region are boto3's own variables.

    Requests are not checked here: the store and the queue build them all, and AWS checks them again. Made by botocore,
    the lower half of boto3: importing the upper half would cost each cold start some 30 ms of CPU.
    """
    retries: Any = {"mode": "standard", "total_max_attempts": attempts}
    config = BotoConfig(
        max_pool_connections=connections,
        retries=retries,
        connect_timeout=min(1, read_seconds),
        read_timeout=read_seconds,
        tcp_keepalive=True,
        parameter_validation=False,
    )
    with _making:
        return _make_session().create_client(service, config=config)


@lru_cache(maxsize=1)
def _make_session() -> botocore.session.Session:
    """One for all clients: each reads botocore's files anew, which would cost a miss's first reply some 90 ms of CPU."""
    return botocore.session.get_session()
