"""The worker, as a Django app."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    """Makes Celery find the tasks."""

    name = "jobs"
