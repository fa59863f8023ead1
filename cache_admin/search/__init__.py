"""Searching answers by their words, on both databases."""
