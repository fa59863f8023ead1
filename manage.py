#!/usr/bin/env python
"""Django's command line; while `make demo` runs in another terminal it takes part in that stack."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

STACK = Path(__file__).resolve().parent / ".local" / "stack.env"


def join_local_stack() -> None:
    """Takes the running stack's environment, unless this process has been configured already."""
    if "CONNECTGENAI_SECRET_KEY" in os.environ or not STACK.exists():
        return
    # nothing meant for a real account may reach the emulator, nor the other way round
    for name in [name for name in os.environ if name.startswith(("AWS_", "CONNECTGENAI_"))]:
        del os.environ[name]
    for line in STACK.read_text().splitlines():
        name, _, value = line.partition("=")
        os.environ[name] = value


def main() -> None:
    """Runs one command; what is wrong with the configuration is said in one line."""
    join_local_stack()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "connectgenai.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"Configuration error: {error}")


if __name__ == "__main__":
    main()
