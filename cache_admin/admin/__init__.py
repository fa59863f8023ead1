"""The supervisors' site: importing it registers every page."""

from cache_admin.admin import (
    answers,
    audit,
    calls,
    capacity,
    drift,
    flows,
    incidents,
    missed,
    parked,
    people,
    phone,
    schedules,
    tasks,
    topics,
    waiting,
    warming,
)

__all__ = [
    "answers",
    "audit",
    "calls",
    "capacity",
    "drift",
    "flows",
    "incidents",
    "missed",
    "parked",
    "people",
    "phone",
    "schedules",
    "tasks",
    "topics",
    "waiting",
    "warming",
]
