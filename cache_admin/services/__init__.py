"""The rules: each function decides one thing, and is given the gateways and the time it needs."""
