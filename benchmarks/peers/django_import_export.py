"""django-import-export, with its documented settings for large files: bulk, no diff, clients looked up in one query."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import django
import sqlalchemy as sa
from django.conf import settings
from django.utils import timezone

_BULK = {"use_bulk": True, "batch_size": 1000, "skip_diff": True, "skip_html_diff": True, "use_transactions": True}


def prepare(url: str, bulk: bool = True) -> Callable[[Path], None]:
    parsed = sa.make_url(url)
    database = {
        "ENGINE": "django.db.backends.postgresql", "NAME": parsed.database, "USER": parsed.username,
        "PASSWORD": parsed.password or "", "HOST": parsed.query.get("host", parsed.host), "PORT": parsed.port or "",
        "CONN_MAX_AGE": None,
    }  # fmt: skip
    settings.configure(
        DATABASES={"default": database}, INSTALLED_APPS=["import_export", "benchmarks.peers"], USE_TZ=True
    )
    django.setup()
    return _loader(bulk)


def _loader(bulk: bool) -> Callable[[Path], None]:
    from django.db import models
    from import_export import fields, instance_loaders, resources, widgets
    from tablib import Dataset

    class Client(models.Model):
        id = models.TextField(primary_key=True)
        first_name, middle_name, last_name = models.TextField(), models.TextField(default=""), models.TextField()
        email, email_key, username = models.EmailField(), models.TextField(), models.TextField()
        project, desk, type = models.TextField(), models.TextField(), models.TextField()
        active = models.BooleanField()
        created = models.DateTimeField()
        created_at = models.DateTimeField(default=timezone.now)
        updated_at = models.DateTimeField(default=timezone.now)

        class Meta:
            app_label, db_table, managed = "peers", "clients", False

    class Clients(resources.ModelResource):
        first_name = fields.Field(attribute="first_name", column_name="First Name")
        last_name = fields.Field(attribute="last_name", column_name="Last Name")
        created = fields.Field(
            attribute="created", column_name="created", widget=widgets.DateTimeWidget("%Y-%m-%dT%H:%M:%S%z")
        )

        def before_import_row(self, row, **_):
            row["email_key"] = row["email"].lower()
            row["username"] = row["email_key"].partition("@")[0]

        class Meta:
            model = Client
            fields = ("id", "first_name", "last_name", "email", "email_key", "username", "project", "desk", "active",
                      "type", "created")  # fmt: skip
            import_id_fields = ("id",)

    if bulk:
        for name, value in _BULK.items():
            setattr(Clients._meta, name, value)
        Clients._meta.instance_loader_class = instance_loaders.CachedInstanceLoader

    def load(path: Path) -> None:
        data = Dataset().load(path.read_text(encoding="utf-8"), format="csv")
        data.headers = [name if " " in name else name.lower() for name in data.headers]
        Clients().import_data(data, raise_errors=True)

    return load
