"""Django's settings. Every variable of the environment is read here or in wire/config.py; docs/configuration.md lists them."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import botocore.session
from botocore.config import Config as BotoConfig
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from connectgenai import environment as env
from connectgenai.logs import logging_settings
from connectgenai.wire.config import ConfigError, read_url, read_variable
from connectgenai.wire.request import HOUSEKEEPING_QUEUE, LIVE_QUEUE, PREWARM_QUEUE

BASE_DIR = Path(__file__).resolve().parent.parent

DEBUG = env.read_flag(os.environ, "CONNECTGENAI_DEBUG", default=False)
SECRET_KEY = env.read_secret(os.environ, "CONNECTGENAI_SECRET_KEY", length=32)
AUDIT_KEY = env.read_secrets(os.environ, "CONNECTGENAI_AUDIT_KEY", length=32)
AUDIT_ADDRESS = env.read_text(os.environ, "CONNECTGENAI_AUDIT_ADDRESS", default="")
ALLOWED_HOSTS = env.read_hosts(
    os.environ, "CONNECTGENAI_ALLOWED_HOSTS", default=["127.0.0.1", "localhost"] if DEBUG else []
)
CSRF_TRUSTED_ORIGINS = env.read_origins(os.environ, "CONNECTGENAI_CSRF_TRUSTED_ORIGINS")
TIME_ZONE = env.read_time_zone(os.environ, "CONNECTGENAI_TIME_ZONE", default="UTC")
DATABASES = {
    "default": env.read_database(os.environ, "DATABASE_URL", default=f"sqlite:///{BASE_DIR / 'db.sqlite3'}"),
}

# How people come in. Local accounts always do; docs/people.md says what each of these is for.
REQUIRE_SECOND_FACTOR = env.read_choice(
    os.environ, "CONNECTGENAI_REQUIRE_SECOND_FACTOR", choices=("off", "administrators", "everyone")
)
OIDC_ISSUER = env.read_safe_url(os.environ, "CONNECTGENAI_OIDC_ISSUER")
_needed = None if OIDC_ISSUER else ""
OIDC_CLIENT_ID = env.read_text(os.environ, "CONNECTGENAI_OIDC_CLIENT_ID", default=_needed)
OIDC_CLIENT_SECRET = env.read_text(os.environ, "CONNECTGENAI_OIDC_CLIENT_SECRET", default=_needed)
OIDC_GROUPS_CLAIM = env.read_text(os.environ, "CONNECTGENAI_OIDC_GROUPS_CLAIM", default="groups")
SAML_METADATA = env.read_url_or_file(os.environ, "CONNECTGENAI_SAML_METADATA")
SAML_GROUPS_ATTRIBUTE = env.read_text(os.environ, "CONNECTGENAI_SAML_GROUPS_ATTRIBUTE", default="groups")
SIGN_IN_NAME = env.read_text(os.environ, "CONNECTGENAI_SIGN_IN_NAME", default="")
SIGN_IN_GROUPS = env.read_pairs(os.environ, "CONNECTGENAI_SIGN_IN_GROUPS")

# What the workers go by; the rest of theirs is read in wire/config.py, where the Lambdas read it too.
WORKER_SLOTS = env.read_number(os.environ, "CONNECTGENAI_WORKER_SLOTS", default=50)
WORKER_HEALTH_FILE = env.read_text(os.environ, "CONNECTGENAI_WORKER_HEALTH_FILE", default="")
MODEL_BUDGET_SECONDS = env.read_number(os.environ, "CONNECTGENAI_MODEL_BUDGET_SECONDS", default=180)
MODEL_SILENCE_SECONDS = env.read_number(os.environ, "CONNECTGENAI_MODEL_SILENCE_SECONDS", default=45)
TASK_HISTORY_DAYS = env.read_number(os.environ, "CONNECTGENAI_TASK_HISTORY_DAYS", default=3)
METRICS_ADDRESS = env.read_address(os.environ, "CONNECTGENAI_METRICS_ADDRESS")
MAX_RECEIVES = 3  # the queues' maxReceiveCount: the delivery after which a message goes to the dead-letter queue
try:
    BUCKET = read_variable("CONNECTGENAI_BUCKET")
    TABLE = read_variable("CONNECTGENAI_TABLE")
    QUEUE_URLS = {
        LIVE_QUEUE: read_url("CONNECTGENAI_LIVE_QUEUE_URL"),
        PREWARM_QUEUE: read_url("CONNECTGENAI_PREWARM_QUEUE_URL"),
        HOUSEKEEPING_QUEUE: read_url("CONNECTGENAI_HOUSEKEEPING_QUEUE_URL"),
    }
    DEAD_LETTER_QUEUE_URL = read_url("CONNECTGENAI_DEAD_LETTER_QUEUE_URL")
except ConfigError as _error:
    raise ImproperlyConfigured(str(_error)) from None
if not (botocore.session.get_session().get_config_variable("region") or "").strip():
    raise env.refuse("AWS_DEFAULT_REGION", "is not set")

INSTALLED_APPS = [
    "cache_admin.apps.SupervisorsAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "csp",
    "axes",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "django_celery_results",  # before ours, whose admin takes the place of its own
    "cache_admin.apps.CacheAdminConfig",
    "jobs.apps.JobsConfig",
]
MIDDLEWARE = [
    "cache_admin.health.answer_probes",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "cache_admin.audit.middleware.AuditMiddleware",
    "cache_admin.people.scope.apply_scope",
    "cache_admin.preferences.applying.apply_preferences",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "cache_admin.people.second_factor.require_second_factor",
    "cache_admin.people.lost_session.keep_what_was_typed",
    "axes.middleware.AxesMiddleware",  # the last, so that nothing replaces its answer
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
            ],
        },
    },
]
ROOT_URLCONF = "connectgenai.urls"
CSRF_FAILURE_VIEW = "cache_admin.people.lost_session.refuse_form"
WSGI_APPLICATION = "connectgenai.wsgi.application"
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

AUTHENTICATION_BACKENDS = ["cache_admin.people.rights.PeopleBackend"]
ACCOUNT_ADAPTER = "cache_admin.people.sign_in.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = [
    "username*",
    "password1*",
    "password2*",
]  # nobody signs up; without these, nobody has a password
ACCOUNT_EMAIL_VERIFICATION = "none"  # the site sends no mail
ACCOUNT_UNIQUE_EMAIL = False  # an address says nothing here: nobody comes in by it
ACCOUNT_SESSION_REMEMBER = True  # for SESSION_COOKIE_AGE
ACCOUNT_REAUTHENTICATION_TIMEOUT = 15 * 60
SOCIALACCOUNT_ADAPTER = "cache_admin.people.single_sign_on.ProviderAdapter"
SOCIALACCOUNT_LOGIN_ON_GET = True  # guarded in people/urls.py; a form could not lead to another origin (form-action)
SOCIALACCOUNT_PROVIDERS: dict[str, dict[str, list[dict[str, object]]]] = {}
SOCIALACCOUNT_REQUESTS_TIMEOUT = 10
MFA_ADAPTER = "cache_admin.people.second_factor.FactorAdapter"
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_TOTP_ISSUER = "ConnectGenAI"
MFA_TOTP_TOLERANCE = 1  # a period: telephones' clocks are off
if OIDC_ISSUER:
    INSTALLED_APPS.append("allauth.socialaccount.providers.openid_connect")
    SOCIALACCOUNT_PROVIDERS["openid_connect"] = {
        "APPS": [
            {
                "provider_id": "oidc",
                "name": SIGN_IN_NAME or "OpenID Connect",
                "client_id": OIDC_CLIENT_ID,
                "secret": OIDC_CLIENT_SECRET,
                "settings": {"server_url": OIDC_ISSUER, "oauth_pkce_enabled": True},
            }
        ]
    }
if SAML_METADATA:
    INSTALLED_APPS.append("allauth.socialaccount.providers.saml")
    SOCIALACCOUNT_PROVIDERS["saml"] = {
        "APPS": [
            {
                "provider_id": "saml",
                "name": SIGN_IN_NAME or "SAML",
                "client_id": "company",
                "settings": {
                    "idp": {"entity_id": None, "metadata_url": SAML_METADATA},
                    # names without a dot, as companies give to their own machines, are good
                    "advanced": {
                        "want_assertion_signed": True,
                        "want_name_id": True,
                        "allow_single_label_domains": True,
                    },
                },
            }
        ]
    }

# Too many wrong passwords, counted for each name from each address; one's own colleagues elsewhere are not locked out
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_CALLABLE = "cache_admin.people.lock_out.show_locked"
AXES_CLIENT_IP_CALLABLE = "cache_admin.people.lock_out.read_address"
AXES_USERNAME_CALLABLE = "cache_admin.people.lock_out.name_attempt"
AXES_SENSITIVE_PARAMETERS = ["username", "next", "csrfmiddlewaretoken"]  # and always the password
AXES_DISABLE_ACCESS_LOG = True  # the audit trail has it
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [BASE_DIR / "cache_admin" / "locale"]  # of all our packages; before Django's own words
USE_I18N = True
USE_TZ = True

# Files: documents and sounds lie privately in the bucket, style sheets and scripts are served by the site itself.
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STORAGES = {
    "default": {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": BUCKET,
            "file_overwrite": False,
            "default_acl": None,
            "querystring_auth": True,
            "querystring_expire": 300,
            # the endpoint is boto3's own AWS_ENDPOINT_URL
            "client_config": BotoConfig(
                signature_version="s3v4",
                connect_timeout=3,
                read_timeout=20,
                retries={"mode": "standard", "total_max_attempts": 3},
            ),
        },
    },
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage",
    },
}

# Security. Over plain HTTP only with DEBUG; behind a proxy gunicorn's FORWARDED_ALLOW_IPS says whose word counts.
SECURE_SSL_REDIRECT = not DEBUG
SECURE_HSTS_SECONDS = 0 if DEBUG else 365 * 24 * 3600
SECURE_HSTS_INCLUDE_SUBDOMAINS = not DEBUG
SECURE_HSTS_PRELOAD = not DEBUG
SESSION_COOKIE_SECURE = not DEBUG
SESSION_COOKIE_AGE = 12 * 3600  # a long shift
CSRF_COOKIE_SECURE = not DEBUG
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "base-uri": [NONE],
        "object-src": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    },
}

CELERY_RESULT_BACKEND = "django-db"
CELERY_CACHE_BACKEND = "django-cache"
CELERY_RESULT_EXTENDED = False  # a task's arguments may hold a caller's words
CELERY_TIMEZONE = TIME_ZONE

LOGGING = logging_settings(is_plain=DEBUG)
LOGGING["loggers"]["axes"] = {"level": "WARNING"}  # it tells of every sign-in, as the audit trail does
