"""What callers will hear while they wait, found out by running the Consumer itself in virtual time."""
