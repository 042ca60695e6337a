"""Open the storage at the location that the settings name; `login_of` gives the secrets of a connection id."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

from include.adapters.files.inbox import ServerInbox
from include.adapters.files.s3 import S3Path
from include.adapters.files.sftp import SftpInbox
from include.adapters.files.storage import Storage
from include.errors import SettingInvalid
from include.settings import Login

_S3 = re.compile(r"s3://(?:(?P<id>[\w.-]+)@)?(?P<bucket>[a-z0-9][a-z0-9.-]+)(?:/(?P<prefix>[^?#]*))?")
# From the keys of an Airflow connection to boto3's.
_S3_OPTIONS = {
    "region_name": "region_name",
    "endpoint_url": "endpoint_url",
    "aws_session_token": "aws_session_token",
}


def open_storage(root: str, login_of: Callable[[str], Login]) -> Storage:
    """Open `root`: an absolute folder, or `s3://[CONNECTION_ID@]BUCKET[/PREFIX]`. Raises SettingInvalid.

    Without a connection id S3 finds its keys as boto3 does: environment, profile, role of the machine.
    """

    def server_inbox(url: str) -> ServerInbox:
        """Open an inbox `sftp://CONNECTION_ID/FOLDER`, whose form schemas/feed.py has checked."""
        connection_id, _, folder = url.removeprefix("sftp://").partition("/")
        return SftpInbox(login_of(connection_id), folder or ".")

    if not root.startswith("s3://"):
        return Storage(Path(root), server_inbox)
    location = _S3.fullmatch(root)
    if location is None:
        raise SettingInvalid("CLIENT_IMPORTS_STORAGE on S3 is written s3://[CONNECTION_ID@]BUCKET[/PREFIX].")
    login = login_of(location["id"]) if location["id"] else Login()
    prefix = PurePosixPath((location["prefix"] or "").strip("/"))
    return Storage(S3Path(_client(login), location["bucket"], prefix), server_inbox)


def _client(login: Login) -> Any:
    try:
        import boto3
    except ImportError:
        raise SettingInvalid("A storage on S3 needs one more package: pip install boto3") from None
    if unknown := set(login.extra) - set(_S3_OPTIONS):
        raise SettingInvalid(
            f"The S3 connection has {', '.join(sorted(unknown))}, which the importer does not use. It uses "
            f"{', '.join(_S3_OPTIONS)}. For roles and profiles leave the connection id out of the URL."
        )
    options = {name: login.extra.get(name) for name in _S3_OPTIONS}
    return boto3.client(
        "s3", aws_access_key_id=login.user or None, aws_secret_access_key=login.password or None, **options
    )
