"""Answers before anybody asks: what callers missed, batches of questions, ready answers from files, and files from lists."""
