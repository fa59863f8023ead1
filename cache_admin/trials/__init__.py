"""Answers made aside, for supervisors' eyes and ears: compared, tried out, and put in the place of what callers hear."""
