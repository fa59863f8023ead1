"""Typed readers of the site's environment variables; each refusal names the variable and shows an example."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

Environment = Mapping[str, str]

EXAMPLES = {
    "CONNECTGENAI_SECRET_KEY": "a-random-text-of-at-least-32-characters",
    "CONNECTGENAI_AUDIT_KEY": "another-random-text-of-at-least-32-characters",
    "CONNECTGENAI_AUDIT_ADDRESS": "REMOTE_ADDR",
    "CONNECTGENAI_DEBUG": "0",
    "CONNECTGENAI_ALLOWED_HOSTS": "answers.example.com,answers.internal",
    "CONNECTGENAI_CSRF_TRUSTED_ORIGINS": "https://answers.example.com",
    "CONNECTGENAI_TIME_ZONE": "Europe/Berlin",
    "CONNECTGENAI_REQUIRE_SECOND_FACTOR": "administrators",
    "CONNECTGENAI_OIDC_ISSUER": "https://login.example.com/realms/company",
    "CONNECTGENAI_OIDC_CLIENT_ID": "connectgenai",
    "CONNECTGENAI_OIDC_CLIENT_SECRET": "what-the-provider-gave-you",
    "CONNECTGENAI_OIDC_GROUPS_CLAIM": "groups",
    "CONNECTGENAI_SAML_METADATA": "https://login.example.com/saml/metadata.xml",
    "CONNECTGENAI_SAML_GROUPS_ATTRIBUTE": "groups",
    "CONNECTGENAI_SIGN_IN_NAME": "Example",
    "CONNECTGENAI_SIGN_IN_GROUPS": "cc-leads=Supervisors,cc-admins=Administrators",
    "CONNECTGENAI_WORKER_SLOTS": "50",
    "CONNECTGENAI_WORKER_HEALTH_FILE": "/run/connectgenai/worker.json",
    "CONNECTGENAI_MODEL_BUDGET_SECONDS": "180",
    "CONNECTGENAI_MODEL_SILENCE_SECONDS": "45",
    "CONNECTGENAI_TASK_HISTORY_DAYS": "3",
    "CONNECTGENAI_METRICS_ADDRESS": "127.0.0.1:9464",
    "DATABASE_URL": "postgresql://user:password@db.internal:5432/connectgenai",
    "AWS_DEFAULT_REGION": "us-east-1",
}
_FLAGS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
# A pool, since every worker thread would open a session of its own for each task otherwise.
_POOL = {"min_size": 1, "max_size": 20, "timeout": 20}
_SQLITE = {
    "timeout": 20,
    "transaction_mode": "IMMEDIATE",  # a reader that turns writer is refused at once by SQLite, whatever the time-out
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
}


def refuse(name: str, why: str) -> ImproperlyConfigured:
    """The error that tells what is wrong with a variable, and how a good value looks."""
    return ImproperlyConfigured(f"The environment variable {name} {why}. Example: {name}={EXAMPLES[name]}")


def read_text(env: Environment, name: str, *, default: str | None = None) -> str:
    """The variable's value without blanks around it; without a default it must be set."""
    value = env.get(name, "").strip() or default
    if value is None:
        raise refuse(name, "is not set")
    return value


def read_secret(env: Environment, name: str, *, length: int) -> str:
    """A secret of at least `length` characters."""
    value = read_text(env, name)
    if len(value) < length:
        raise refuse(name, f"must have at least {length} characters")
    return value


def read_secrets(env: Environment, name: str, *, length: int) -> list[str]:
    """Secrets with commas between them, each of at least `length` characters; none when not set."""
    secrets = _read_list(env, name)
    if any(len(secret) < length for secret in secrets):
        raise refuse(name, f"must have at least {length} characters, and so each older one after a comma")
    return secrets


def read_flag(env: Environment, name: str, *, default: bool) -> bool:
    """1, true, yes or on; 0, false, no or off."""
    value = read_text(env, name, default="1" if default else "0").lower()
    if value not in _FLAGS:
        raise refuse(name, f"must be 1 or 0, not {value!r}")
    return _FLAGS[value]


def read_choice(env: Environment, name: str, *, choices: Sequence[str]) -> str:
    """One of these words; the first when not set."""
    value = read_text(env, name, default=choices[0]).lower()
    if value not in choices:
        raise refuse(name, f"must be one of {', '.join(choices)}, not {value!r}")
    return value


def read_safe_url(env: Environment, name: str) -> str:
    """An https:// address, or http:// on this machine, without a slash at its end; "" when not set."""
    value = read_text(env, name, default="").rstrip("/")
    found = urlsplit(value)
    is_safe = found.scheme == "https" or (found.scheme == "http" and found.hostname in ("127.0.0.1", "localhost"))
    if value and not (is_safe and found.hostname):
        raise refuse(name, "must be an https:// address")
    return value


def read_url_or_file(env: Environment, name: str) -> str:
    """An address as read_safe_url takes it, or a file's as file:///...; "" when not set."""
    value = read_text(env, name, default="")
    return f"file://{value}" if value.startswith("/") else read_safe_url(env, name)


def read_pairs(env: Environment, name: str) -> list[tuple[str, str]]:
    """THEIRS=OURS with commas between them; none when not set."""
    pairs = [part.rpartition("=")[::2] for part in _read_list(env, name)]
    if not all(left.strip() and right.strip() for left, right in pairs):
        raise refuse(name, "must be pairs THEIRS=OURS with commas between them")
    return [(left.strip(), right.strip()) for left, right in pairs]


def read_number(env: Environment, name: str, *, default: int) -> int:
    """A whole number above 0."""
    value = read_text(env, name, default=str(default))
    if not (value.isascii() and value.isdigit() and len(value) < 10 and int(value) > 0):
        raise refuse(name, f"must be a whole number above 0, not {value!r}")
    return int(value)


def read_address(env: Environment, name: str) -> str:
    """HOST:PORT to listen on; PORT alone means this machine only, port 0 any that is free. "" when not set."""
    value = read_text(env, name, default="")
    host, _, port = value.rpartition(":")
    if value and not (port.isascii() and port.isdigit() and int(port[:6]) < 65536 and " " not in host):
        raise refuse(name, f"must be HOST:PORT or PORT, not {value!r}")
    return f"{host or '127.0.0.1'}:{port}" if value else ""


def read_hosts(env: Environment, name: str, *, default: list[str]) -> list[str]:
    """Host names with commas between them, without scheme and path; an empty default means that one is needed."""
    hosts = _read_list(env, name) or default
    if not hosts:
        raise refuse(name, "is not set")
    if any("/" in host or " " in host for host in hosts):
        raise refuse(name, "must be host names with commas between them, without https:// and paths")
    return hosts


def read_origins(env: Environment, name: str) -> list[str]:
    """Origins with their scheme, with commas between them; none when not set."""
    origins = _read_list(env, name)
    if not all(origin.startswith(("https://", "http://")) for origin in origins):
        raise refuse(name, "must be origins with commas between them, each with https:// or http://")
    return origins


def _read_list(env: Environment, name: str) -> list[str]:
    return [part.strip() for part in env.get(name, "").split(",") if part.strip()]


def read_time_zone(env: Environment, name: str, *, default: str) -> str:
    """A time zone of the IANA data base."""
    value = read_text(env, name, default=default)
    try:
        return ZoneInfo(value).key
    except (KeyError, ValueError, OSError):  # unknown, absolute, or a folder
        raise refuse(name, f"must be a time zone's name, not {value!r}") from None


def read_database(env: Environment, name: str, *, default: str) -> dict[str, Any]:
    """Django's settings for a SQLite file or a PostgreSQL server."""
    url = read_text(env, name, default=default)
    try:
        found: dict[str, Any] = {**dj_database_url.parse(url)}
    except ValueError:  # the message of the library would show the password
        raise refuse(name, "is not a database URL") from None
    own: dict[str, dict[str, Any]] = {
        "django.db.backends.sqlite3": _SQLITE,
        "django.db.backends.postgresql": {"pool": _POOL},
    }
    if found["ENGINE"] not in own or not found["NAME"]:
        raise refuse(name, "must begin with sqlite:/// or postgresql:// and name a database")
    return {**found, "OPTIONS": {**own[found["ENGINE"]], **found.get("OPTIONS", {})}}
