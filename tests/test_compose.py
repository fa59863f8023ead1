"""docker-compose.yml, Dockerfile and .dockerignore, held against the code: no engine is needed."""

from __future__ import annotations

import fnmatch
import importlib.util
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import urllib.request
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from celery import Celery
from celery.bin.base import CLIContext
from celery.bin.worker import worker as celery_worker
from gunicorn.config import Config as GunicornConfig

from cache_admin.health import PROBES
from connectgenai import environment as site
from connectgenai.wire import config, request
from jobs.health import Health, write_health
from lambdas.build import RUNTIME
from local.bedrock.server import start_server

ROOT = Path(__file__).resolve().parents[1]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", "")
OURS = {name for name, service in SERVICES.items() if "build" in service}
PYTHON = {name for name in OURS if SERVICES[name]["environment"]}
WORKERS = {name for name in OURS if SERVICES[name].get("command", [""])[0] == "celery"}
SECRETS = {"CONNECTGENAI_SECRET_KEY", "CONNECTGENAI_CALLER_KEYS", "POSTGRES_PASSWORD", "SUPERVISOR_PASSWORD"}
GIVEN = {
    "CONNECTGENAI_SECRET_KEY": "only-for-tests-only-for-tests-only-for-tests",
    "CONNECTGENAI_CALLER_KEYS": "k1:only-for-tests-0001",
    "POSTGRES_PASSWORD": "only-for-tests-0002",
    "SUPERVISOR_PASSWORD": "only-for-tests-0003",
}


def fill_in(value: str) -> str:
    """The value as Compose makes it of a .env with GIVEN."""
    return re.sub(r"\$\{(\w+)(?::[-?]([^}]*))?\}", lambda match: GIVEN.get(match[1], match[2] or ""), value)


def read_environment(service: str) -> dict[str, str]:
    return {name: fill_in(value) for name, value in SERVICES[service]["environment"].items()}


def find_option(service: str, option: str) -> str:
    command = SERVICES[service]["command"]
    return str(command[command.index(option) + 1])


def run_python(*arguments: str, cwd: Path = ROOT, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "AWS_CONFIG_FILE": os.devnull, **env}
    return subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


# -- the services


def test_each_part_of_the_product_has_a_service() -> None:
    assert set(SERVICES) == {
        "web",
        "live",
        "prewarm",
        "housekeeping",
        "setup",
        "bedrock",
        "aws",
        "postgres",
    }


def test_a_service_waits_only_for_services_that_can_become_what_it_waits_for() -> None:
    for name, service in SERVICES.items():
        for other, wanted in service.get("depends_on", {}).items():
            if wanted["condition"] == "service_healthy":
                assert "healthcheck" in SERVICES[other], (name, other)
            else:
                assert wanted["condition"] == "service_completed_successfully", (name, other)
                assert SERVICES[other]["restart"] == "no", (name, other)


def test_every_service_but_the_one_that_ends_has_a_health_check() -> None:
    assert {name for name, service in SERVICES.items() if "healthcheck" not in service} == {"setup"}


def test_every_port_is_published_on_this_machine_alone() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports
    assert all(re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port) for port in ports), ports
    assert not any("network_mode" in service for service in SERVICES.values())


def test_every_image_is_pinned_to_one_release() -> None:
    foreign = [service["image"] for service in SERVICES.values() if "build" not in service]
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.M)
    for image in (*foreign, *(base for base in bases if ":" in base)):
        assert re.fullmatch(r"[\w/]+:\d+\.\d+(\.\d+)?(-[\w.-]+)?", image), image


def test_the_emulators_image_is_the_release_that_the_tests_run() -> None:
    (locked,) = re.findall(r"^ministack==(\S+)", (ROOT / "requirements-local.txt").read_text(), re.M)
    assert SERVICES["aws"]["image"] == f"ministackorg/ministack:{locked}"


def test_postgresql_is_of_a_series_that_django_takes_and_its_data_outlives_it() -> None:
    assert int(SERVICES["postgres"]["image"].partition(":")[2].partition(".")[0]) >= 15
    assert SERVICES["postgres"]["volumes"] == ["postgres-data:/var/lib/postgresql/data"]


def test_every_volume_is_declared_and_used() -> None:
    mounted = {mount.partition(":")[0] for service in SERVICES.values() for mount in service.get("volumes", [])}
    assert mounted == set(COMPOSE["volumes"])


def test_the_emulator_keeps_its_state_where_the_volume_is() -> None:
    (mount,) = SERVICES["aws"]["volumes"]
    place = mount.partition(":")[2]
    environment = SERVICES["aws"]["environment"]
    assert environment["PERSIST_STATE"] == environment["S3_PERSIST"] == "1"
    assert all(environment[name].startswith(f"{place}/") for name in ("STATE_DIR", "S3_DATA_DIR"))


def test_what_holds_state_or_work_has_time_to_put_it_down() -> None:
    seconds = {name: int(service.get("stop_grace_period", "10s")[:-1]) for name, service in SERVICES.items()}
    assert all(seconds[name] >= 120 for name in WORKERS)
    assert all(seconds[name] >= 60 for name in ("aws", "postgres"))


# -- the environment


def test_secrets_are_asked_for_and_not_written_down() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    for name in SECRETS:
        assert re.search(rf"\$\{{{name}:\?[^}}]+\}}", text), name
        assert not re.search(rf"\$\{{{name}(?!:\?)", text), name
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            assert name not in SECRETS or value.startswith("${"), name


def test_the_head_of_the_file_tells_how_to_make_every_secret() -> None:
    recipe = next(line for line in (ROOT / "docker-compose.yml").read_text().splitlines() if "python3 -c" in line)
    script = recipe.split("'")[1]
    printed = subprocess.check_output([sys.executable, "-c", script], text=True)
    assert {line.partition("=")[0] for line in printed.split()} == SECRETS
    made = dict(line.split("=", 1) for line in printed.split())
    assert config.read_caller_keys(made)
    assert len(made["CONNECTGENAI_SECRET_KEY"]) >= 32
    assert made["POSTGRES_PASSWORD"].isalnum(), "it stands in a URL"


def test_every_variable_is_one_that_the_code_reads() -> None:
    ours = "".join(path.read_text() for path in (ROOT / "connectgenai").rglob("*.py"))
    commands = "".join(path.read_text() for path in (ROOT / "cache_admin" / "management").rglob("*.py"))
    for service in OURS:
        for name in SERVICES[service]["environment"]:
            assert name.startswith("AWS_") or f'"{name}"' in ours + commands, (service, name)


@pytest.mark.parametrize("service", sorted(PYTHON))
def test_the_environment_is_complete_and_well_formed(service: str) -> None:
    """`check` loads every setting, every model, every URL, and the Celery app's tasks."""
    script = "import django; django.setup(); import connectgenai.celery as c; c.app.loader.import_default_modules()"
    loaded = run_python(
        "-c", script, env={"DJANGO_SETTINGS_MODULE": "connectgenai.settings", **read_environment(service)}
    )
    assert loaded.returncode == 0, loaded.stderr


def test_the_lambdas_variables_are_there_for_the_setup_to_pass_on() -> None:
    config.LambdaConfig.from_environment(read_environment("setup"))


def test_addresses_lead_to_services_and_to_ports_that_they_listen_on() -> None:
    listening = {
        "aws": "4566",
        "postgres": "5432",
        "bedrock": find_option("bedrock", "--port"),
    }
    for service in PYTHON:
        for name, value in read_environment(service).items():
            for host, port in re.findall(r"(?:http://|@)([\w.]+):(\d+)", value):
                assert listening[host] == port, (service, name)


# -- the commands


def test_each_queue_is_consumed_by_exactly_one_service() -> None:
    consumed = [queue for name in WORKERS for queue in find_option(name, "-Q").split(",")]
    assert sorted(consumed) == sorted([request.LIVE_QUEUE, request.PREWARM_QUEUE, request.HOUSEKEEPING_QUEUE])


def test_each_queues_variable_ends_in_the_queues_name() -> None:
    queues = {"LIVE": request.LIVE_QUEUE, "PREWARM": request.PREWARM_QUEUE, "HOUSEKEEPING": request.HOUSEKEEPING_QUEUE}
    environment = read_environment("web")
    for name, queue in {**queues, "DEAD_LETTER": request.DEAD_LETTER_QUEUE}.items():
        assert environment[f"CONNECTGENAI_{name}_QUEUE_URL"].endswith(f"/{queue}")


@pytest.mark.parametrize("service", sorted(WORKERS))
def test_celery_understands_a_workers_command(service: str) -> None:
    program, flag, app, command, *options = SERVICES[service]["command"]
    assert (program, flag, app, command) == ("celery", "-A", "connectgenai", "worker")
    context = celery_worker.make_context(
        "worker", list(options), obj=CLIContext(app=Celery(), no_color=True, workdir=None)
    )
    assert (context.params["queues"], context.params["loglevel"]) == ([find_option(service, "-Q")], 20)
    assert context.params["concurrency"] == int(read_environment(service)["CONNECTGENAI_WORKER_SLOTS"])
    assert context.params["without_gossip"]
    assert context.params["without_mingle"]
    assert context.params["without_heartbeat"]
    assert context.params["pool"].__module__ == "celery.concurrency.thread"


def test_one_clock_runs_and_it_runs_where_its_tasks_do() -> None:
    (with_clock,) = [name for name in WORKERS if "-B" in SERVICES[name]["command"]]
    assert find_option(with_clock, "-Q") == request.HOUSEKEEPING_QUEUE
    assert find_option(with_clock, "-s").startswith("/tmp/")


def test_gunicorn_understands_the_sites_command_which_is_the_images_own() -> None:
    program, *options = SERVICES["web"]["command"]
    parsed = GunicornConfig().parser().parse_args(options)
    assert (program, parsed.args, parsed.bind) == ("gunicorn", ["connectgenai.wsgi"], ["0.0.0.0:8000"])
    assert SERVICES["web"]["ports"] == ["127.0.0.1:8000:8000"]
    (default,) = re.findall(r"^CMD (\[.*\])$", DOCKERFILE, re.M)
    assert json.loads(default) == SERVICES["web"]["command"]


def find_modules() -> list[tuple[str, str]]:
    """Every `python -m MODULE` of a command or a health check."""
    lines = [(name, service.get(key)) for name, service in SERVICES.items() for key in ("command",)]
    lines += [(name, service["healthcheck"]["test"]) for name, service in SERVICES.items() if "healthcheck" in service]
    return [(name, line[line.index("-m") + 1]) for name, line in lines if line and "python" in line and "-m" in line]


def test_every_module_that_is_run_exists() -> None:
    assert {module for _, module in find_modules()} == {"jobs.health", "local.bedrock", "local.containers"}
    for name, module in find_modules():
        found = importlib.util.find_spec(module)
        assert found, (name, module)
        assert not found.submodule_search_locations or importlib.util.find_spec(f"{module}.__main__"), (name, module)


def test_bedrocks_stand_in_knows_its_options() -> None:
    _, _, module, *options = SERVICES["bedrock"]["command"]
    shown = run_python("-m", module, "--help", env={})
    assert shown.returncode == 0, shown.stderr
    for option in options:
        assert not option.startswith("--") or f"{option} " in shown.stdout, option


# -- the health checks


@pytest.mark.parametrize("service", sorted(WORKERS))
def test_a_workers_health_check_reads_the_file_that_the_worker_writes(service: str, tmp_path: Path) -> None:
    _, _, _, module, file = SERVICES[service]["healthcheck"]["test"]
    assert read_environment(service)["CONNECTGENAI_WORKER_HEALTH_FILE"] == file
    own = tmp_path / "worker.json"
    assert run_python("-m", module, str(own), env={}).returncode == 1
    write_health(own, Health(at=4e9, polled_at={"cgai-live": 4e9}, busy=0, slots=1))
    assert run_python("-m", module, str(own), env={}).returncode == 0


def test_health_checks_over_http_ask_for_pages_that_exist() -> None:
    asked = {
        name: re.findall(r"http://127\.0\.0\.1:(\d+)(/[\w/]+)", " ".join(service["healthcheck"]["test"]))
        for name, service in SERVICES.items()
        if "healthcheck" in service
    }
    assert asked["web"] == [("8000", "/healthz")]
    assert "/healthz" in PROBES
    assert asked["bedrock"] == [(find_option("bedrock", "--port"), "/healthz")]
    with start_server() as server, urllib.request.urlopen(f"{server.url}/healthz", timeout=30) as reply:
        assert reply.status == 200
    assert asked["aws"] == [("4566", "/_ministack/health")]


def test_a_health_check_has_longer_than_what_it_runs_may_take() -> None:
    checks = [service["healthcheck"] for service in SERVICES.values() if "healthcheck" in service]
    inner = [(re.search(r"timeout=(\d+)", " ".join(check["test"])), check) for check in checks]
    assert all(int(match[1]) < int(check["timeout"][:-1]) for match, check in inner if match)


# -- the image


def test_our_containers_run_as_nobody_in_particular_and_write_nowhere_but_in_tmp() -> None:
    for name in OURS:
        service = SERVICES[name]
        assert (service["read_only"], service["tmpfs"], service["cap_drop"]) == (True, ["/tmp"], ["ALL"]), name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert "user" not in service, name
    users = re.findall(r"^USER (\S+)$", DOCKERFILE, re.M)
    assert users == ["10001"], "the last stage inherits it"


def test_the_images_python_is_the_lambdas_and_the_tests() -> None:
    (version,) = re.findall(r"^FROM python:(\d+\.\d+)", DOCKERFILE, re.M)
    assert version == ".".join(map(str, RUNTIME)) == "3.11"


def test_the_image_takes_packages_by_hash_only() -> None:
    installs = [line for line in DOCKERFILE.splitlines() if "pip install" in line]
    assert installs
    assert all("--require-hashes" in line and "-r requirements" in line for line in installs)


def is_sent(path: str) -> bool:
    """Whether .dockerignore lets a path of the repository through; its last matching line decides."""
    sent = True
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        pattern = line.strip().lstrip("!")
        parts = Path(path).parts
        ways = ["/".join(parts[: count + 1]) for count in range(len(parts))]
        ways += list(parts) if pattern.startswith("**/") else []
        if line and not line.startswith("#") and any(fnmatch.fnmatch(way, pattern.removeprefix("**/")) for way in ways):
            sent = line.startswith("!")
    return sent


@cache
def find_tracked() -> list[str]:
    return subprocess.check_output(["git", "ls-files"], cwd=ROOT, text=True).splitlines()


@pytest.mark.parametrize(
    "path", [".env", "local/.env", ".local/secrets.env", ".git/config", ".venv/bin/python", "db.sqlite3"]
)
def test_no_secret_and_nothing_installed_is_sent_to_the_engine(path: str) -> None:
    assert not is_sent(path)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """The files of /app as the Dockerfile copies them."""
    for source, target in re.findall(r"^COPY (\S+) (\S+)$", DOCKERFILE, re.M):
        assert is_sent(source), source
        if source.endswith("/"):
            shutil.copytree(ROOT / source, tmp_path / target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / source, tmp_path / target)
    return tmp_path


def test_the_image_holds_all_that_the_product_consists_of(image: Path) -> None:
    packages = {Path(path).parts[0] for path in find_tracked() if path.endswith("__init__.py")} - {
        "tests",
        "benchmarks",
    }
    assert packages <= {path.name for path in image.iterdir()}


def test_the_images_build_steps_run(image: Path) -> None:
    (collect,) = re.findall(r"^RUN (.*collectstatic.*)$", DOCKERFILE, re.M)
    environment = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    subprocess.run(["/bin/sh", "-c", collect], cwd=image, env=environment, check=True)
    assert any(image.glob("staticfiles/admin/css/base.*.css"))


def test_the_copied_files_are_enough_to_serve_and_to_set_up(image: Path) -> None:
    for module in ("connectgenai.wsgi", "connectgenai.celery", "local.containers", "local.bedrock.server"):
        environment = {"DJANGO_SETTINGS_MODULE": "connectgenai.settings", **read_environment("web")}
        loaded = run_python("-c", f"import {module}", cwd=image, env=environment)
        assert loaded.returncode == 0, loaded.stderr


def test_the_comment_shows_a_command_that_exists() -> None:
    shown = next(line for line in (ROOT / "docker-compose.yml").read_text().splitlines() if "manage.py call" in line)
    words = shlex.split(shown.lstrip("# "))
    assert words[:6] == ["docker", "compose", "exec", "web", "python", "manage.py"]
    topics = yaml.safe_load((ROOT / "local" / "demo" / "topics.yaml").read_text())["topics"]
    assert words[words.index("--topic") + 1] in {topic["name"] for topic in topics}


def test_the_examples_that_the_image_is_built_with_name_every_variable_once() -> None:
    assert not set(site.EXAMPLES) & set(config.EXAMPLES)
