"""The settings, from environment variables; how a part is started is read by `portal/launch`. docs/production.md names all."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from csp.constants import NONCE, NONE, SELF
from django.utils.translation import gettext_lazy as _
from kombu import Queue

from portal.env import (
    Misconfigured,
    database,
    env,
    env_bool,
    env_int,
    env_level,
    env_list,
    env_url,
    socket_sources,
)
from portal.launch.programs import DELIVERY, SWEEPS

BASE_DIR = Path(__file__).resolve().parent.parent
VAR = Path(env("VAR", str(BASE_DIR / "var")))

DEMO = env_bool("DEMO")
DEBUG = env_bool("DEBUG")

SECRET_KEY = env("SECRET_KEY")
SECRET_KEY_FALLBACKS = env_list("SECRET_KEY_FALLBACKS")
FIELD_KEYS = env_list("FIELD_KEYS")
INDEX_KEY = env("INDEX_KEY", "")
LINK_KEY = env("LINK_KEY", "")

PUBLIC_URL = env_url("PUBLIC_URL", "http://127.0.0.1:8000")
SOCKETS_URL = env_url("SOCKETS_URL", "")
LOOPBACK = {"127.0.0.1", "localhost"}  # two names of one machine, on which the demo is opened by either
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]" if DEMO or DEBUG else "")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
SECURE = PUBLIC_URL.startswith("https://")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.usersessions",
    "django_otp",
    "django_otp.plugins.otp_static",
    "channels",
    "csp",
    "apps.common",
    "apps.audit",
    "apps.messaging",
    "apps.accounts",
    "apps.organisations",
    "apps.catalogue",
    "apps.patients",
    "apps.scheduling",
    "apps.rooms",
    "apps.calendars",
    "apps.registration",
    "apps.notices",
    "portal",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "apps.common.middleware.ResponseHeaders",
    "apps.common.middleware.StraightToApi",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "apps.accounts.middleware.SecondFactor",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "apps.accounts.middleware.SignedIn",
    "apps.organisations.middleware.StaffContext",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "apps.common.middleware.WordsForWrongMethod",
]

ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"
ASGI_APPLICATION = "portal.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "apps.organisations.context.staff",
            ],
            "builtins": ["django.templatetags.i18n", "django.templatetags.static", "apps.common.templatetags.vt"],
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    ["django.template.loaders.filesystem.Loader", "django.template.loaders.app_directories.Loader"],
                )
            ],
        },
    }
]

# State --------------------------------------------------------------------------------------------------------------
DATABASES: dict[str, Any] = {"default": database("DATABASE_URL")}
if env("OWNER_DATABASE_URL", ""):  # given to `prepare` alone (portal/rights.py)
    DATABASES["owner"] = database("OWNER_DATABASE_URL")
REDIS_URL = env_url("REDIS_URL")
CACHES = {"default": {"BACKEND": "apps.common.caching.CalmCache", "LOCATION": REDIS_URL}}
SESSION_ENGINE = "apps.organisations.sessions"
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {
            # A quiet socket asks Valkey to wait five seconds for news: who gives up as soon loses the connection.
            "hosts": [{"address": REDIS_URL, "socket_connect_timeout": 2, "socket_timeout": 10}],
            "capacity": 1000,
            "symmetric_encryption_keys": [SECRET_KEY],
        },
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Work in the background ----------------------------------------------------------------------------------------------
CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 300, "socket_timeout": 5, "socket_connect_timeout": 2}
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_TIME_LIMIT = 120
CELERY_TASK_ROUTES = {"messaging.*": {"queue": DELIVERY}}
CELERY_TASK_DEFAULT_QUEUE = SWEEPS
CELERY_TASK_QUEUES = (Queue(SWEEPS), Queue(DELIVERY))  # a worker that is told of no queue takes both
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"  # beat in a zone with summer time skips runs on the nights the clock changes
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
SWEPT_FILE = env("SWEPT_FILE", "")  # touched after each sweep, for whoever asks whether the worker gets its work done

# People who sign in --------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["apps.organisations.backends.SignIn"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("email", "given_name", "family_name")},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "scheduling:today"
LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_ADAPTER = "apps.accounts.adapters.InvitedOnly"
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "apps.accounts.passwords.PasswordLinks"  # noqa: S105
ACCOUNT_LOGIN_ON_PASSWORD_RESET = True  # the second factor still comes next
# A whole hospital comes from one address: a shift signs in within minutes, and those who mistype stop nobody else.
ACCOUNT_RATE_LIMITS = {
    "login": "300/m/ip",
    "login_failed": "60/m/ip,5/5m/key",
    "reset_password": "20/m/ip,3/15m/key",
}
PASSWORD_RESET_TIMEOUT = 3 * 24 * 60 * 60  # an invitation's; a link to a new password lasts an hour
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = False
ALLAUTH_TRUSTED_PROXY_COUNT = env_int("TRUSTED_PROXY_COUNT", 0)
OTP_TOTP_ISSUER = "Videotime"
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_NAME = "__Host-session" if SECURE else "session"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
STAFF_IDLE_MINUTES = env_int("STAFF_IDLE_MINUTES", 30, least=1)

# Language and time ---------------------------------------------------------------------------------------------------
LANGUAGE_CODE = "nb"
LANGUAGES = [
    ("nb", _("Norwegian Bokmål")),
    ("nn", _("Norwegian Nynorsk")),
    ("se", _("Northern Sami")),
    ("en", _("English")),
]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["portal.formats"]
TIME_ZONE = "Europe/Oslo"
USE_TZ = True
LANGUAGE_COOKIE_NAME = "language"

# Safety in the browser -----------------------------------------------------------------------------------------------
SECURE_SSL_REDIRECT = SECURE
SECURE_HSTS_SECONDS = 31536000 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env_int("TRUSTED_PROXY_COUNT", 0) else None
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
# Never the path. With no-referrer, browsers send our own forms with "Origin: null", which the CSRF check refuses.
SECURE_REFERRER_POLICY = "strict-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
CSRF_COOKIE_SECURE = SESSION_COOKIE_SECURE = SECURE
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_USE_SESSIONS = False
CSRF_FAILURE_VIEW = "apps.common.views.csrf_failure"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:", "blob:"],
        "font-src": [SELF],
        "media-src": [SELF, "blob:"],
        "connect-src": [SELF, *socket_sources(SOCKETS_URL, LOOPBACK)],
        "manifest-src": [SELF],
        "worker-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 400
FILE_UPLOAD_MAX_MEMORY_SIZE = 16 * 1024 * 1024
FILE_UPLOAD_HANDLERS = [
    "django.core.files.uploadhandler.MemoryFileUploadHandler"
]  # photos never touch the disk unencrypted

# Static files --------------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = env("STATIC_ROOT", str(VAR / "static"))
STATICFILES_DIRS = [BASE_DIR / "portal" / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_MIMETYPES = {".webmanifest": "application/manifest+json"}

# Messages ------------------------------------------------------------------------------------------------------------
# Ordered carriers per channel: the first that answers is used. `inbox` exists in the demo only.
SMS_CARRIERS = env_list("SMS_CARRIERS", "inbox" if DEMO else "")
EMAIL_CARRIER = env("EMAIL_CARRIER", "inbox" if DEMO else "smtp")
KANNEL_URL = env_url("KANNEL_URL", "")
KANNEL_USERNAME = env("KANNEL_USERNAME", "")
KANNEL_PASSWORD = env("KANNEL_PASSWORD", "")
RECEIPT_SECRET = env("RECEIPT_SECRET", "")
EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_HOST = env("EMAIL_HOST", "")
EMAIL_PORT = env_int("EMAIL_PORT", 25, least=1, most=65535)
EMAIL_HOST_USER = env("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = env_bool("EMAIL_USE_TLS")
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", "videotime@videotime.example")
MESSAGES_KEPT_DAYS = env_int("MESSAGES_KEPT_DAYS", 90)  # what they said and to whom; 0: for good
PHOTOS_KEPT_DAYS = env_int("PHOTOS_KEPT_DAYS", 0)  # after the session was registered; 0: for good
QUIET_FROM_HOUR, QUIET_TO_HOUR = 21, 8
DAILY_SMS_CAP = env_int(
    "DAILY_SMS_CAP", 30 if DEMO else 6, least=1
)  # the demo's visitors book a lot for the same person

# Rooms ---------------------------------------------------------------------------------------------------------------
TURN_URLS = env_list("TURN_URLS")
TURN_SECRET = env("TURN_SECRET", "")
FIXED_ROOM_URL = env("FIXED_ROOM_URL", "")
LINK_OPENS_BEFORE = timedelta(minutes=30)
LINK_CLOSES_AFTER = timedelta(minutes=30)  # what has begun is over then too, and nobody is asked to join any more
JOIN_SHOWN_BEFORE = timedelta(minutes=15)  # the lists of staff say «Join»; who has the room's page open may come sooner

# Logs: references only, never names, numbers, tokens or texts --------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"private": {"()": "apps.common.logs.HidePrivate"}},
    "formatters": {"plain": {"()": "apps.common.logs.JsonLine"}},
    "handlers": {"out": {"class": "logging.StreamHandler", "filters": ["private"], "formatter": "plain"}},
    "root": {"handlers": ["out"], "level": env_level("LOG_LEVEL", "WARNING" if DEMO else "INFO")},
    "loggers": {
        "django.server": {"handlers": ["out"], "level": "WARNING", "propagate": False},
        # The servers bring handlers of their own, which would write what an error says, row and all.
        **{name: {"handlers": ["out"], "propagate": False} for name in ("_granian", "uvicorn")},
        "fontTools": {"level": "WARNING"},  # it tells of every table of every font of every sheet
    },
}
DEFAULT_EXCEPTION_REPORTER_FILTER = "apps.common.logs.NoVariables"

if DEMO and SECURE:
    raise Misconfigured("DEMO=1 is for one machine: PUBLIC_URL must not be https.")
