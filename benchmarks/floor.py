"""The least that Django can do: a site of its own with the usual seven middlewares, one query and a small template.

Ratios to it carry over from machine to machine, and from a quick hour to a slow one, as times and rates do not.
"""

import random

import django
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import path

from portal.env import database

PAGE = "page.html"
TEMPLATE = """<!doctype html><html lang="en"><head><title>{{ title }}</title></head><body>
<h1>{{ title }}</h1><ul>{% for row in rows %}<li>{{ row.pk }} {{ row.schedule }}</li>{% endfor %}</ul></body></html>"""

settings.configure(
    SECRET_KEY="floor",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions"],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.locale.LocaleMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "OPTIONS": {
                "loaders": [
                    (
                        "django.template.loaders.cached.Loader",
                        [("django.template.loaders.locmem.Loader", {PAGE: TEMPLATE})],
                    )
                ]
            },
        }
    ],
    DATABASES={"default": {**database("DATABASE_URL"), "CONN_MAX_AGE": 600}},
)
django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import models  # noqa: E402
from django.shortcuts import render  # noqa: E402


class Row(models.Model):
    """What takes time, read as plainly as can be."""

    schedule = models.IntegerField(db_column="schedule_id")

    class Meta:
        app_label, db_table, managed = "floor", "scheduling_occupancy", False


def page(request: HttpRequest) -> HttpResponse:
    rows = list(Row.objects.filter(schedule=random.randint(1, 1000))[:10])
    return render(request, PAGE, {"title": "Visits", "rows": rows})


urlpatterns = [path("page", page)]
application = get_wsgi_application()
