"""The supervisors' site: importing it registers every page."""

from cache_admin.admin import (
    answers,
    calls,
    capacity,
    drift,
    flows,
    incidents,
    missed,
    parked,
    phone,
    schedules,
    tasks,
    topics,
    waiting,
    warming,
)

__all__ = [
    "answers",
    "calls",
    "capacity",
    "drift",
    "flows",
    "incidents",
    "missed",
    "parked",
    "phone",
    "schedules",
    "tasks",
    "topics",
    "waiting",
    "warming",
]
