from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from connectgenai import environment
from connectgenai.wire import config
from jobs.bedrock import REASONS

ROOT = Path(__file__).parents[2]
NEEDED = {
    "CONNECTGENAI_SECRET_KEY": "k" * 32,
    "CONNECTGENAI_ALLOWED_HOSTS": "answers.example.com",
    "CONNECTGENAI_TABLE": "connectgenai",
    "CONNECTGENAI_BUCKET": "my-bucket",
    "CONNECTGENAI_LIVE_QUEUE_URL": "https://sqs.example.com/1/cgai-live",
    "CONNECTGENAI_PREWARM_QUEUE_URL": "https://sqs.example.com/1/cgai-prewarm",
    "CONNECTGENAI_HOUSEKEEPING_QUEUE_URL": "https://sqs.example.com/1/cgai-housekeeping",
    "CONNECTGENAI_DEAD_LETTER_QUEUE_URL": "https://sqs.example.com/1/cgai-dead",
    "AWS_DEFAULT_REGION": "us-east-1",
}
CLIENT = {"CONNECTGENAI_OIDC_CLIENT_ID": "us", "CONNECTGENAI_OIDC_CLIENT_SECRET": "theirs"}


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The settings under an environment that has what is needed, and changes; None takes a variable away."""

    def load_settings(**changes: str | None) -> dict[str, Any]:
        for name in [n for n in os.environ if n.startswith(("CONNECTGENAI_", "AWS_DEFAULT", "DATABASE"))]:
            monkeypatch.delenv(name)
        for name, value in {**NEEDED, **changes}.items():
            if value is not None:
                monkeypatch.setenv(name, value)
        return runpy.run_path(str(ROOT / "connectgenai" / "settings.py"))

    return load_settings


@pytest.mark.parametrize("name", sorted(NEEDED))
@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_missing_variable_stops_the_start_with_its_name_and_an_example(
    load: Any, name: str, value: str | None
) -> None:
    example = {**config.EXAMPLES, **environment.EXAMPLES}[name]
    with pytest.raises(ImproperlyConfigured) as raised:
        load(**{name: value})
    assert str(raised.value) == f"The environment variable {name} is not set. Example: {name}={example}"


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("CONNECTGENAI_REQUIRE_SECOND_FACTOR", "always", "must be one of off, administrators, everyone"),
        ("CONNECTGENAI_OIDC_ISSUER", "http://login.example.com", "must be an https:// address"),
        ("CONNECTGENAI_SAML_METADATA", "ftp://login.example.com", "must be an https:// address"),
        ("CONNECTGENAI_SIGN_IN_GROUPS", "leads", "must be pairs THEIRS=OURS"),
        ("CONNECTGENAI_SECRET_KEY", "too-short", "must have at least 32 characters"),
        ("CONNECTGENAI_DEBUG", "maybe", "must be 1 or 0, not 'maybe'"),
        ("CONNECTGENAI_ALLOWED_HOSTS", "https://answers.example.com", "without https:// and paths"),
        ("CONNECTGENAI_CSRF_TRUSTED_ORIGINS", "answers.example.com", "each with https:// or http://"),
        ("CONNECTGENAI_TIME_ZONE", "Berlin", "must be a time zone's name, not 'Berlin'"),
        ("CONNECTGENAI_TIME_ZONE", "../etc/passwd", "must be a time zone's name"),
        ("CONNECTGENAI_WORKER_SLOTS", "0", "must be a whole number above 0, not '0'"),
        ("CONNECTGENAI_MODEL_BUDGET_SECONDS", "3m", "must be a whole number above 0, not '3m'"),
        ("CONNECTGENAI_LIVE_QUEUE_URL", "cgai-live", "must be a URL, not 'cgai-live'"),
        ("DATABASE_URL", "my database", "is not a database URL"),
        ("DATABASE_URL", "postgresql://u:p@h:port/d", "is not a database URL"),
        ("DATABASE_URL", "mysql://u:p@h/d", "must begin with sqlite:/// or postgresql://"),
        ("DATABASE_URL", "postgresql://u:p@h", "must begin with sqlite:/// or postgresql:// and name a database"),
    ],
)
def test_a_malformed_variable_stops_the_start_with_its_name_and_an_example(
    load: Any, name: str, value: str, why: str
) -> None:
    with pytest.raises(ImproperlyConfigured) as raised:
        load(**{name: value})
    message = str(raised.value)
    assert message.startswith(f"The environment variable {name} ")
    assert why in message
    assert f"Example: {name}=" in message


def test_a_broken_database_url_does_not_show_its_password(load: Any) -> None:
    with pytest.raises(ImproperlyConfigured) as raised:
        load(DATABASE_URL="postgresql://user:hunter2@host:port/name")
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize("name", sorted({**config.EXAMPLES, **environment.EXAMPLES}))
def test_every_example_is_itself_accepted(load: Any, name: str) -> None:
    load(**{**CLIENT, name: {**config.EXAMPLES, **environment.EXAMPLES}[name]})


@pytest.mark.parametrize("name", CLIENT)
def test_an_issuer_needs_what_it_has_given_us(load: Any, name: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"^The environment variable {name} is not set"):
        load(**{"CONNECTGENAI_OIDC_ISSUER": "https://login.example.com", **CLIENT, name: None})


def test_nothing_of_the_company_s_sign_in_is_loaded_unless_it_is_configured(load: Any) -> None:
    plain = load()
    assert plain["SOCIALACCOUNT_PROVIDERS"] == {}
    assert not [name for name in plain["INSTALLED_APPS"] if "providers" in name]
    both = load(
        CONNECTGENAI_OIDC_ISSUER="https://login.example.com/", CONNECTGENAI_SAML_METADATA="/etc/idp.xml", **CLIENT
    )
    oidc, saml = both["SOCIALACCOUNT_PROVIDERS"]["openid_connect"], both["SOCIALACCOUNT_PROVIDERS"]["saml"]
    assert oidc["APPS"][0]["settings"] == {"server_url": "https://login.example.com", "oauth_pkce_enabled": True}
    assert saml["APPS"][0]["settings"]["idp"]["metadata_url"] == "file:///etc/idp.xml"


def test_production_is_strict_and_debugging_is_for_plain_http(load: Any) -> None:
    strict, loose = load(), load(CONNECTGENAI_DEBUG="1", CONNECTGENAI_ALLOWED_HOSTS=None)
    names = ("SECURE_SSL_REDIRECT", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_HSTS_PRELOAD")
    assert [strict[name] for name in names] == [True] * 4
    assert [loose[name] for name in names] == [False] * 4
    assert (strict["DEBUG"], loose["ALLOWED_HOSTS"]) == (False, ["127.0.0.1", "localhost"])


def test_sqlite_waits_for_its_writers_and_postgresql_has_a_pool(load: Any) -> None:
    sqlite = load()["DATABASES"]["default"]
    assert sqlite["NAME"] == str(ROOT / "db.sqlite3")
    assert (sqlite["OPTIONS"]["transaction_mode"], sqlite["OPTIONS"]["timeout"]) == ("IMMEDIATE", 20)
    assert "journal_mode=WAL" in sqlite["OPTIONS"]["init_command"]
    server = load(DATABASE_URL="postgres://u:p@h:5432/d?sslmode=require")["DATABASES"]["default"]
    assert (server["ENGINE"], server["OPTIONS"]["sslmode"]) == ("django.db.backends.postgresql", "require")
    assert server["OPTIONS"]["pool"]["max_size"] == 20


def test_files_in_the_bucket_are_private_and_never_written_over(load: Any) -> None:
    options = load()["STORAGES"]["default"]["OPTIONS"]
    assert (options["bucket_name"], options["file_overwrite"], options["querystring_auth"]) == (
        "my-bucket",
        False,
        True,
    )
    assert options["default_acl"] is None


def manage(*arguments: str, **changes: str | None) -> subprocess.CompletedProcess[str]:
    own = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
    given = {**own, "AWS_EC2_METADATA_DISABLED": "true", "PYTHONWARNINGS": "error", **NEEDED, **changes}
    env = {name: value for name, value in given.items() if value is not None}
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=120)


def test_djangos_own_check_finds_nothing_to_warn_of_in_production() -> None:
    done = manage(
        "check", "--deploy", "--fail-level", "WARNING", CONNECTGENAI_SECRET_KEY="Zx9-" + "abcdefghij0123456" * 4
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "System check identified no issues (0 silenced).\n", "")


def test_the_command_line_says_in_one_line_what_is_missing() -> None:
    done = manage("migrate", CONNECTGENAI_BUCKET=None)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "Configuration error: The environment variable CONNECTGENAI_BUCKET is not set."
        " Example: CONNECTGENAI_BUCKET=my-company-connectgenai"
    ]


def test_the_migrations_are_those_of_the_models() -> None:
    done = manage("makemigrations", "--check", "--dry-run")
    assert (done.returncode, done.stdout) == (0, "No changes detected\n")


# docs/configuration.md


def read_tables() -> dict[str, tuple[str, str]]:
    """What the documentation says: variable -> default, example."""
    rows = [line.strip("| \n").split(" | ") for line in (ROOT / "docs" / "configuration.md").read_text().splitlines()]
    return {row[0].strip("`"): (row[-2], row[-1]) for row in rows if len(row) == 4 and row[0].startswith("`")}


def test_every_variable_is_documented_with_the_example_that_errors_show() -> None:
    examples = {name: example for name, (_, example) in read_tables().items()}
    assert examples == {n: f"`{n}={v}`" for n, v in {**config.EXAMPLES, **environment.EXAMPLES}.items()}


def test_the_documented_defaults_are_those_of_the_settings(load: Any) -> None:
    defaults = {name: default for name, (default, _) in read_tables().items()}
    needed = {name for name, default in defaults.items() if "required" in default}
    assert needed == set(NEEDED) | {"CONNECTGENAI_CALLER_KEYS"}
    found = load()
    for name in sorted(set(defaults) - needed - {"DATABASE_URL"}):
        value = found[name.removeprefix("CONNECTGENAI_")]
        said = "none" if value in ("", []) else f"`{int(value) if isinstance(value, bool) else value}`"
        assert defaults[name] == said, name
    assert defaults["DATABASE_URL"].startswith("`sqlite:///db.sqlite3`")


def test_every_reason_for_having_no_answer_is_documented() -> None:
    text = (ROOT / "docs" / "configuration.md").read_text()
    assert [reason for reason, means in REASONS.items() if f"| `{reason}` | {means} |" not in text] == []


def test_manage_py_joins_a_running_demonstration_but_never_a_configured_shell(tmp_path: Path) -> None:
    for name in ("manage.py", "connectgenai"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "manage.py").unlink()
    (tmp_path / "manage.py").write_text((ROOT / "manage.py").read_text())
    (tmp_path / ".local").mkdir()
    (tmp_path / ".local" / "stack.env").write_text(
        "CONNECTGENAI_SECRET_KEY=from-the-stack\nAWS_ENDPOINT_URL=http://e=1\n"
    )
    script = "import json, os, manage; manage.join_local_stack(); print(json.dumps(dict(os.environ)))"

    def environment_of(**given: str) -> dict[str, str]:
        env = {"PATH": os.environ["PATH"], **given}
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=tmp_path, env=env, capture_output=True, text=True, check=True
        )
        found: dict[str, str] = json.loads(done.stdout)
        return found

    joined = environment_of(AWS_PROFILE="production", AWS_SECRET_ACCESS_KEY="real")
    assert (joined["CONNECTGENAI_SECRET_KEY"], joined["AWS_ENDPOINT_URL"]) == ("from-the-stack", "http://e=1")
    assert not {"AWS_PROFILE", "AWS_SECRET_ACCESS_KEY"} & set(joined)
    configured = environment_of(CONNECTGENAI_SECRET_KEY="mine", AWS_PROFILE="production")
    assert (configured["CONNECTGENAI_SECRET_KEY"], configured["AWS_PROFILE"]) == ("mine", "production")
