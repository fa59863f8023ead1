"""Exported flows, run without a telephone: deterministically in virtual time, or in real time with a person on the line."""
