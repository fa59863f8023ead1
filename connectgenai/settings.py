"""Django's settings, from the environment; docs/configuration.md lists every variable."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import dj_database_url
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from connectgenai.wire.config import ConfigError, read_url, read_variable
from connectgenai.wire.request import HOUSEKEEPING_QUEUE, LIVE_QUEUE, PREWARM_QUEUE

BASE_DIR = Path(__file__).resolve().parent.parent


def _text(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def _flag(name: str) -> bool:
    value = _text(name, "0").lower()
    if value not in ("0", "1", "true", "false"):
        raise ImproperlyConfigured(f"The environment variable {name} must be 0 or 1, not {value!r}. Example: {name}=1")
    return value in ("1", "true")


def _number(name: str, default: int) -> int:
    value = _text(name, str(default))
    if not value.isascii() or not value.isdigit() or int(value) < 1:
        raise ImproperlyConfigured(
            f"The environment variable {name} must be a whole number above 0, not {value!r}. Example: {name}={default}"
        )
    return int(value)


def _list(name: str) -> list[str]:
    return [part.strip() for part in _text(name).split(",") if part.strip()]


def _secret_key() -> str:
    value = _text("CONNECTGENAI_SECRET_KEY")
    if len(value) < 32:
        raise ImproperlyConfigured(
            "The environment variable CONNECTGENAI_SECRET_KEY must hold at least 32 random characters. Example:"
            " CONNECTGENAI_SECRET_KEY=$(python3 -c 'import secrets; print(secrets.token_urlsafe(48))')"
        )
    return value


def _wire(read: Any, name: str) -> str:
    try:
        value: str = read(name)
    except ConfigError as error:
        raise ImproperlyConfigured(str(error)) from error
    return value


def _database() -> dict[str, Any]:
    url = _text("DATABASE_URL", f"sqlite:///{BASE_DIR / 'db.sqlite3'}")
    try:
        database: dict[str, Any] = dict(dj_database_url.parse(url))
    except (ValueError, KeyError) as error:
        raise ImproperlyConfigured(
            "The environment variable DATABASE_URL is not a database URL."
            " Example: DATABASE_URL=postgresql://user:password@db.example.com:5432/connectgenai"
        ) from error
    if database["ENGINE"].endswith("sqlite3"):
        # Writers take their lock at the start and wait for it; readers go on meanwhile.
        database["OPTIONS"] = {"transaction_mode": "IMMEDIATE", "timeout": 20, "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL"}
    elif database["ENGINE"].endswith("postgresql"):
        # Celery closes connections around every task, and each would be a new session.
        database["OPTIONS"] = {**database.get("OPTIONS", {}), "pool": {"min_size": 1, "max_size": 20, "timeout": 10}}
    return database


SECRET_KEY = _secret_key()
DEBUG = _flag("CONNECTGENAI_DEBUG")
ALLOWED_HOSTS = _list("CONNECTGENAI_ALLOWED_HOSTS")
CSRF_TRUSTED_ORIGINS = _list("CONNECTGENAI_CSRF_TRUSTED_ORIGINS")
TIME_ZONE = _text("CONNECTGENAI_TIME_ZONE", "UTC")
DATABASES = {"default": _database()}

# What the workers need; jobs.workshop reads the rest where the Lambdas do, in connectgenai.wire.config.
WORKER_SLOTS = _number("CONNECTGENAI_WORKER_SLOTS", 50)
MODEL_BUDGET_SECONDS = _number("CONNECTGENAI_MODEL_BUDGET_SECONDS", 180)
MODEL_SILENCE_SECONDS = _number("CONNECTGENAI_MODEL_SILENCE_SECONDS", 45)
WORKER_HEALTH_FILE = _text("CONNECTGENAI_WORKER_HEALTH_FILE")
TASK_HISTORY_DAYS = _number("CONNECTGENAI_TASK_HISTORY_DAYS", 3)
MAX_RECEIVES = 3  # the queues' maxReceiveCount: the delivery after which a message goes to the dead-letter queue
QUEUE_URLS = {
    LIVE_QUEUE: _wire(read_url, "CONNECTGENAI_LIVE_QUEUE_URL"),
    PREWARM_QUEUE: _wire(read_url, "CONNECTGENAI_PREWARM_QUEUE_URL"),
    HOUSEKEEPING_QUEUE: _wire(read_url, "CONNECTGENAI_HOUSEKEEPING_QUEUE_URL"),
}
DEAD_LETTER_QUEUE_URL = _wire(read_url, "CONNECTGENAI_DEAD_LETTER_QUEUE_URL")
BUCKET = _wire(read_variable, "CONNECTGENAI_BUCKET")

INSTALLED_APPS = [
    "cache_admin.apps.CacheAdminConfig",
    "jobs.apps.JobsConfig",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "csp",
    "django_celery_results",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
ROOT_URLCONF = "connectgenai.urls"
WSGI_APPLICATION = "connectgenai.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
LANGUAGE_CODE = "en"
USE_I18N = True
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STORAGES = {
    "default": {
        "BACKEND": "storages.backends.s3.S3Storage",
        # private files under names that are never used again; links are signed and short-lived
        "OPTIONS": {"bucket_name": BUCKET, "file_overwrite": False, "querystring_expire": 300},
    },
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
FILE_UPLOAD_MAX_MEMORY_SIZE = 2_500_000
DATA_UPLOAD_MAX_MEMORY_SIZE = 5_000_000

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = not DEBUG
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 0 if DEBUG else 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = not DEBUG
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

CELERY_RESULT_BACKEND = "django-db"
CELERY_CACHE_BACKEND = "django-cache"
CELERY_RESULT_EXTENDED = False  # a task's arguments may hold a caller's words
CELERY_TIMEZONE = TIME_ZONE

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stdout": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "line"}},
    "root": {"handlers": ["stdout"], "level": "INFO"},
    "loggers": {"botocore": {"level": "WARNING"}, "urllib3": {"level": "WARNING"}},
}
