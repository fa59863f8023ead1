"""What gunicorn reads by itself: it logs as Django does, to stdout, and in production one line of JSON each."""

import os

from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "connectgenai.settings")
logconfig_dict = settings.LOGGING
