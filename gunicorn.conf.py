"""What gunicorn reads by itself: it logs as Django does, to stdout, and in production one line of JSON each."""

import gc
import os
from typing import Any

from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "connectgenai.settings")
logconfig_dict = settings.LOGGING


def post_worker_init(_worker: Any) -> None:
    """What was loaded at the start stays: a full collection that walks it all, a third of a second, would fall on some page."""
    gc.collect()
    gc.freeze()
