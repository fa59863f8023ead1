"""Everything fails at once, and nobody is left without an answer or a hand-over: docs/chaos.md."""
