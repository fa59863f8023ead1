"""Each person's language and time zone."""
