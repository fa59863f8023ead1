#!/usr/bin/env python3
"""Django's command line; it takes part in a demonstration that runs on this machine."""

import os
import sys
from pathlib import Path

STACK = Path(__file__).resolve().parent / ".local" / "stack.env"


def main() -> None:
    """Runs a command. Without an environment of its own it takes that of the running `make demo`."""
    if "CONNECTGENAI_SECRET_KEY" not in os.environ and STACK.exists():
        for line in STACK.read_text().splitlines():
            name, _, value = line.partition("=")
            os.environ.setdefault(name, value)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "connectgenai.settings")
    from django.core.management import execute_from_command_line  # noqa: PLC0415 - after the environment is complete

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
