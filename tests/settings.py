"""The product's settings for tests and for the type checker, under an environment that leads nowhere."""

from __future__ import annotations

import os

for _name, _value in {
    "CONNECTGENAI_SECRET_KEY": "only-for-tests-only-for-tests-only-for-tests",
    "CONNECTGENAI_ALLOWED_HOSTS": "testserver,127.0.0.1,localhost",
    "CONNECTGENAI_TABLE": "nowhere",
    "CONNECTGENAI_BUCKET": "nowhere",
    "CONNECTGENAI_LIVE_QUEUE_URL": "http://127.0.0.1:9/nowhere/cgai-live",
    "CONNECTGENAI_PREWARM_QUEUE_URL": "http://127.0.0.1:9/nowhere/cgai-prewarm",
    "CONNECTGENAI_HOUSEKEEPING_QUEUE_URL": "http://127.0.0.1:9/nowhere/cgai-housekeeping",
    "CONNECTGENAI_DEAD_LETTER_QUEUE_URL": "http://127.0.0.1:9/nowhere/cgai-dead",
    "AWS_DEFAULT_REGION": "us-east-1",
    "DATABASE_URL": "sqlite:///:memory:",
}.items():
    os.environ.setdefault(_name, _value)

from connectgenai.settings import *  # noqa: E402, F403
from connectgenai.settings import STORAGES  # noqa: E402

SECURE_SSL_REDIRECT = False
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # quick; nobody's password is kept
WHITENOISE_AUTOREFRESH = True
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
