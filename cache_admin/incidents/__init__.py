"""Incident texts: one text in place of all answers of some topics, or of some questions, for a while."""
