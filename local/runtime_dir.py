"""What Lambda's Python runtime offers besides the standard library: boto3 and AWS's runtime client, and nothing else."""

from __future__ import annotations

import re
import shutil
import sysconfig
from importlib.metadata import Distribution, distribution
from importlib.util import find_spec
from pathlib import Path

PROVIDED = ("boto3", "awslambdaric")
FALLBACK_CLIENT = Path(__file__).with_name("runtime_client.py")


def build_runtime_dir(target: Path, *, native: bool | None = None) -> Path:
    """Fills `target` with links to the provided packages: on the path instead of this environment, it keeps out all others.

    A function that needs Django or PyYAML fails here as it would on AWS. AWS builds the native half of its client for
    Linux only; elsewhere (or when `native` is False) our own plays it.
    """
    target.mkdir(parents=True, exist_ok=True)
    is_native = find_spec("runtime_client") is not None if native is None else native
    for source in sorted(_find_packages()):
        if is_native or not source.name.startswith("runtime_client."):
            (target / source.name).symlink_to(source)
    if not is_native:
        shutil.copyfile(FALLBACK_CLIENT, target / FALLBACK_CLIENT.name)
    return target


def _find_packages() -> set[Path]:
    """The top-level modules and packages of the provided distributions and of those that they require."""
    return {package for name in _close_over_requirements(PROVIDED) for package in _read_top_level(distribution(name))}


def _close_over_requirements(names: tuple[str, ...]) -> set[str]:
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _read_requirements(distribution(name))
    return found


def _read_requirements(package: Distribution) -> list[str]:
    wanted = [line for line in package.requires or () if "extra ==" not in line]
    return [match[0] for line in wanted if (match := re.match(r"[\w.-]+", line))]


def _read_top_level(package: Distribution) -> set[Path]:
    site = Path(str(package.locate_file("")))
    tops = {file.parts[0] for file in package.files or () if file.parts[0] not in ("..", "__pycache__")}
    suffixes = (".py", sysconfig.get_config_var("EXT_SUFFIX") or ".so")
    return {site / top for top in tops if (site / top).is_dir() or top.endswith(suffixes)}
