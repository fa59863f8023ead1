"""What a newcomer relies on: the README's commands, the locked requirements, the links, the list of variables."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest
from packaging.requirements import Requirement

from connectgenai import environment as site
from connectgenai.wire import config

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
REQUIREMENTS = {
    "requirements.txt": [],
    "requirements-local.txt": ["local"],
    "requirements-dev.txt": ["local", "dev"],
}
TARGETS = {"demo", "test", "check", "bench", "lambdas", "lock", "clean"}
TARGETS |= {"proofs", "model", "chaos", "flight", "hops", "fuzz", "bulk", "bench-admin"}


@cache
def read_tracked() -> dict[str, str]:
    """Every tracked text file of the work tree: its content by path."""
    listed = subprocess.check_output(["git", "ls-files", "-z"], cwd=ROOT, text=True).split("\0")
    found = {}
    for path in filter(None, listed):
        try:
            found[path] = (ROOT / path).read_text()
        except (UnicodeDecodeError, FileNotFoundError):
            continue  # a sound, or deleted and not yet committed
    return found


# -- make


def run_make(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    # The tests themselves are often run by make, which must not take this for a part of its own work.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    command = ["make", *arguments]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


def test_make_alone_lists_every_target_with_a_line_of_its_own() -> None:
    shown = run_make()
    assert shown.returncode == 0
    listed = dict(re.findall(r"^  make ([\w-]+) {2,}(\S.*)$", shown.stdout, re.M))
    assert set(listed) == TARGETS
    assert all(len(line) > 10 for line in listed.values())


def test_every_target_that_is_listed_can_be_made() -> None:
    for target in TARGETS:
        done = run_make("--dry-run", target)
        assert done.returncode == 0, done.stderr


def test_every_make_command_in_the_documents_is_a_target() -> None:
    for path, text in read_tracked().items():
        if path.endswith(".md"):
            named = set(re.findall(r"(?:`|^)make ([a-z-]+)", text, re.M))
            assert named <= TARGETS, path


def test_the_readme_shows_the_two_commands() -> None:
    readme = (ROOT / "README.md").read_text()
    assert re.search(r"^make demo\b", readme, re.M)
    assert re.search(r"^make test\b", readme, re.M)


def test_ci_runs_what_contributors_are_told_to_run() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    assert "make check" in script
    assert "make test" in script
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The files that installing takes, and a pip that only notes what it was asked for."""
    for path in ("Makefile", "local/bootstrap", *REQUIREMENTS):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
    return tmp_path


def fake_install(checkout: Path, *requirements: str) -> None:
    """Leaves .venv as an install of these files does."""
    (checkout / ".venv" / "bin").mkdir(parents=True)
    (checkout / ".venv" / "bin" / "python").symlink_to("/bin/true")
    (checkout / ".venv" / "installed").mkdir()
    for path in requirements:
        shutil.copy(checkout / path, checkout / ".venv" / "installed" / path)


def test_what_is_installed_is_not_installed_again(checkout: Path) -> None:
    fake_install(checkout, "requirements.txt", "requirements-local.txt")
    done = run_make("for-demo", cwd=checkout)
    assert (done.returncode, done.stdout) == (0, "")


def test_a_changed_lock_file_is_installed(checkout: Path) -> None:
    fake_install(checkout, "requirements.txt", "requirements-local.txt")
    with (checkout / "requirements-local.txt").open("a") as file:
        file.write("# changed\n")
    done = run_make("for-demo", "PYTHON=/nonexistent", cwd=checkout)
    assert "Installing what the demo needs" in done.stdout


def test_a_machine_without_a_fitting_python_is_told_so(checkout: Path) -> None:
    done = run_make("for-demo", "PYTHON=/bin/false", cwd=checkout)
    assert done.returncode != 0
    assert "Python 3.11 or later is needed" in done.stderr


def test_clean_names_what_it_removes_and_leaves_the_rest(checkout: Path) -> None:
    for path in ("build", ".local"):
        (checkout / path).mkdir()
    done = run_make("clean", cwd=checkout)
    assert done.stdout == "Removing build\nRemoving .local\n"
    assert {path.name for path in checkout.iterdir()} == {"Makefile", "local", *REQUIREMENTS}


# -- the requirements


def read_locked(file: str) -> dict[str, str]:
    """Version by name; every requirement must be one version, with at least one hash."""
    text = (ROOT / file).read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    found = {}
    for line in lines:
        name, version = line.split()[0].split("==")
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", line), f"{file}: {name} has no hash"
        found[name.partition("[")[0]] = version
    return found


@pytest.mark.parametrize("file", REQUIREMENTS)
def test_every_direct_dependency_is_locked_in_a_version_that_it_admits(file: str) -> None:
    optional = PROJECT["optional-dependencies"]
    wanted = [*PROJECT["dependencies"], *(line for extra in REQUIREMENTS[file] for line in optional[extra])]
    locked = read_locked(file)
    for requirement in map(Requirement, wanted):
        assert requirement.name.lower() in locked, requirement
        assert requirement.specifier.contains(locked[requirement.name.lower()]), requirement


def test_production_runs_the_versions_that_the_tests_run() -> None:
    production, local, tests = (read_locked(file).items() for file in REQUIREMENTS)
    assert production <= local <= tests


# -- what is tracked


def test_no_file_names_a_machines_folder() -> None:
    folders = "|".join(("work", "root", "home"))
    for path, text in read_tracked().items():
        found = re.search(rf"(?<![\w.~$}}/-])/(?:{folders})/\w[^\s]*", text)
        assert not found, f"{path}: {found and found[0]}"


def test_no_file_names_a_package_registrys_host() -> None:
    hosts = [
        ".".join(parts) for parts in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("debian", "org"))
    ]
    for path, text in read_tracked().items():
        assert not [host for host in hosts if host in text], path


def test_the_changelog_has_a_place_for_what_is_not_yet_released() -> None:
    assert re.search(r"^## Unreleased$", (ROOT / "CHANGELOG.md").read_text(), re.M)


def test_the_licence_is_the_one_that_the_project_names() -> None:
    assert PROJECT["license"] == {"file": "LICENSE"}
    assert (ROOT / "LICENSE").read_text().startswith("MIT License\n\nCopyright (c) 2026 connectgenai contributors\n")


# -- the documents


def find_anchors(text: str) -> set[str]:
    """The anchors that a page's headings get."""
    headings = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def find_links() -> list[tuple[str, str]]:
    """Every link to somewhere in the repository: the page, and where it points."""
    pages = {path: text for path, text in read_tracked().items() if path.endswith(".md")}
    links = [(path, link) for path, text in pages.items() for link in re.findall(r"\]\(([^)\s]+)\)", text)]
    return [(path, link) for path, link in links if not re.match(r"[a-z]+:", link)]


def test_every_link_leads_to_a_page_and_to_a_heading_on_it() -> None:
    links = find_links()
    assert len(links) > 10
    for path, link in links:
        target, _, anchor = unquote(link).partition("#")
        page = (ROOT / path).parent / target if target else ROOT / path
        assert page.exists(), f"{path}: {link}"
        assert not anchor or anchor in find_anchors(page.read_text()), f"{path}: {link}"


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, new = {Path("README.md")}, {Path("README.md")}
    pages = {Path(path) for path in read_tracked() if path.endswith(".md")}
    while new:
        found = {
            ((ROOT / path).parent / link.partition("#")[0]).resolve().relative_to(ROOT)
            for path, link in find_links()
            if Path(path) in new
        }
        new = (found & pages) - reached
        reached |= new
    documents = {page for page in pages if page.parts[0] == "docs" or len(page.parts) == 1}
    assert documents <= reached


def test_every_decision_is_in_the_list_of_decisions() -> None:
    listed = (ROOT / "docs" / "adr" / "README.md").read_text()
    for page in (ROOT / "docs" / "adr").glob("0*.md"):
        title = page.read_text().partition("\n")[0]
        number, name = re.fullmatch(r"# (\d+)\. (.+)", title).groups()  # type: ignore[union-attr]
        assert f"| [{number}]({page.name}) | {name} |" in listed


# -- the environment

OURS = {**config.EXAMPLES, **site.EXAMPLES}
# boto3's own, gunicorn's and PostgreSQL's may be explained too
FOREIGN = ("AWS_", "FORWARDED_", "WEB_", "GUNICORN_", "POSTGRES_", "DJANGO_", "PYTHON")


def find_read_variables() -> set[str]:
    """The names in quotation marks in the two places that read the environment, and in management commands."""
    readers = [path for path in read_tracked() if path.startswith(("connectgenai/", "cache_admin/management/"))]
    texts = "".join(text for path, text in read_tracked().items() if path in readers)
    return set(re.findall(r'"((?:CONNECTGENAI|DATABASE|SUPERVISOR)_[A-Z_]+)"', texts))


def find_documented_variables() -> set[str]:
    return set(re.findall(r"`([A-Z][A-Z0-9]*_[A-Z0-9_]+)`", (ROOT / "docs" / "configuration.md").read_text()))


def test_every_variable_that_is_read_is_documented() -> None:
    assert find_read_variables() | set(OURS) <= find_documented_variables()


def test_every_variable_that_is_documented_is_read() -> None:
    documented = {name for name in find_documented_variables() if not name.startswith(FOREIGN)}
    assert documented <= find_read_variables()


def test_every_variable_that_is_read_has_an_example_for_its_error_message() -> None:
    assert find_read_variables() - {"SUPERVISOR_PASSWORD"} == set(OURS) - {"AWS_DEFAULT_REGION"}


def reads_environment(text: str) -> bool:
    """Whether a source reads the environment; that an entry point names the settings' module is no reading."""
    rest = text.replace('os.environ.setdefault("DJANGO_SETTINGS_MODULE"', "")
    return bool(re.search(r"\bos\.(environ|getenv)\b|\bfrom os import\b", rest))


def test_the_environment_is_read_in_two_places_only() -> None:
    allowed = {
        "connectgenai/settings.py",
        "connectgenai/wire/config.py",
        "cache_admin/management/commands/ensure_supervisor.py",  # the first login's password is no setting
    }
    product = ("connectgenai/", "lambdas/", "flows/", "cache_admin/", "jobs/")
    readers = {
        path
        for path, text in read_tracked().items()
        if path.startswith(product) and path.endswith(".py") and reads_environment(text)
    }
    assert readers == allowed


def test_every_command_is_in_the_operations_guide() -> None:
    guide = (ROOT / "docs" / "operations.md").read_text()
    commands = {path.stem for path in (ROOT / "cache_admin/management/commands").glob("*.py")} - {"__init__"}
    assert not [name for name in commands if f"`manage.py {name}" not in guide]
