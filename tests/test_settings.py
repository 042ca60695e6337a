"""Settings come from the environment, and a wrong one is a sentence."""

from __future__ import annotations

import pytest

from include.errors import SettingInvalid
from include.settings import Login, Settings, login_from_environment, read_settings


@pytest.mark.parametrize("root", ["relative/folder", "gs://bucket"])
def test_a_storage_root_that_is_neither_absolute_nor_on_s3_is_refused(monkeypatch, root):
    monkeypatch.setenv("CLIENT_IMPORTS_STORAGE", root)
    with pytest.raises(SettingInvalid, match="absolute path or an s3:// URL"):
        read_settings()


@pytest.mark.parametrize("root", ["/srv/imports", "s3://crm_s3@bucket/imports"])
def test_an_absolute_folder_or_a_bucket_is_the_storage_root(monkeypatch, root):
    monkeypatch.setenv("CLIENT_IMPORTS_STORAGE", root)
    assert read_settings().storage == root


def test_without_a_setting_the_storage_lies_in_the_project(monkeypatch):
    monkeypatch.setenv("CLIENT_IMPORTS_STORAGE", "")
    assert read_settings().storage.endswith("/.storage")


def test_settings_and_logins_are_shown_without_their_secrets(tmp_path):
    assert "hush" not in repr(Settings("/srv", tmp_path, "postgresql://u:hush@h/d")) + repr(Login(password="hush"))


@pytest.mark.parametrize(
    "value",
    [
        '{"conn_type": "sftp", "host": "h", "port": 22, "login": "u", "password": "p@/", "extra": {"key_file": "/k"}}',
        '{"host": "h", "port": 22, "login": "u", "password": "p@/", "extra": "{\\"key_file\\": \\"/k\\"}"}',
        "sftp://u:p%40%2F@h:22/?key_file=%2Fk",
    ],
)
def test_without_airflow_connections_come_from_the_environment_as_airflow_writes_them(monkeypatch, value):
    monkeypatch.setenv("AIRFLOW_CONN_ACME", value)
    assert login_from_environment("acme") == Login("h", 22, "u", "p@/", {"key_file": "/k"})


def test_a_connection_that_is_missing_or_unreadable_is_named(monkeypatch):
    with pytest.raises(SettingInvalid, match="AIRFLOW_CONN_OTHER is not set"):
        login_from_environment("other")
    monkeypatch.setenv("AIRFLOW_CONN_ACME", "{not json")
    with pytest.raises(SettingInvalid, match="AIRFLOW_CONN_ACME is neither JSON nor a URI"):
        login_from_environment("acme")
