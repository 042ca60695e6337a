"""The settings name a storage: a folder or a bucket, with the secrets of a connection id."""

from __future__ import annotations

import sys

import pytest

from include.adapters.files.location import open_storage
from include.errors import SettingInvalid
from include.settings import Login


def test_an_absolute_folder_is_the_root(tmp_path):
    assert open_storage(str(tmp_path), lambda _: Login()).root == tmp_path


def test_a_bucket_may_be_the_root_itself():
    storage = open_storage("s3://bucket", lambda _: Login())
    assert str(storage.staged_source("1")) == "s3://bucket/staging/1/source.csv"


def test_a_bucket_has_the_secrets_of_the_connection_in_its_url():
    asked_for = []
    storage = open_storage("s3://crm_s3@bucket/a/b", lambda connection_id: asked_for.append(connection_id) or Login())
    assert asked_for == ["crm_s3"] and str(storage.root) == "s3://bucket/a/b"


@pytest.mark.parametrize("root", ["s3://", "s3://a b/c", "s3://id@@bucket/x", "s3://key:secret@bucket/x"])
def test_an_s3_url_with_too_much_or_too_little_in_it_is_refused(root):
    with pytest.raises(SettingInvalid, match="is written s3://"):
        open_storage(root, lambda _: Login())


def test_a_key_of_an_s3_connection_that_is_not_used_is_named():
    with pytest.raises(SettingInvalid, match="has role_arn, which the importer does not use"):
        open_storage("s3://crm_s3@bucket", lambda _: Login(extra={"role_arn": "x"}))


@pytest.mark.parametrize(("package", "inbox"), [("boto3", "default"), ("asyncssh", "sftp://acme/x")])
def test_a_package_that_is_missing_is_named(monkeypatch, tmp_path, package, inbox):
    monkeypatch.setitem(sys.modules, package, None)
    root = "s3://bucket/x" if package == "boto3" else str(tmp_path)
    with pytest.raises(SettingInvalid, match=f"pip install .?{package}"):
        open_storage(root, lambda _: Login()).stable_files(inbox, "*", 0, ())
