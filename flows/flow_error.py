"""What is said of a file in which no flow can be read."""

from __future__ import annotations


class FlowError(ValueError):
    """No flow can be read: what is wrong, where (action, JSON path, or line and column) and what to do about it."""

    def __init__(self, message: str, *, rule: str, place: str = "", action: str = "", advice: str = "") -> None:
        super().__init__(f"{place}: {message}" if place else message)
        self.message = message
        self.rule = rule
        self.place = place
        self.action = action
        self.advice = advice
