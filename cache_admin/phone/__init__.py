"""The browser phone: calls that run an exported flow against the real Lambdas, from a page of the admin."""
