"""Puts our boot steps into the app's worker."""

from __future__ import annotations

from celery import current_app

from jobs.consumer import CONSUMER_STEPS

current_app.steps["consumer"].update(CONSUMER_STEPS)
