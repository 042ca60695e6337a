"""Post JSON to an address that an HTTP connection of Airflow names.

With the standard library: its client writes no log, and those of others write the address, which often is the secret.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import SplitResult, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from include.errors import SettingInvalid, WebhookFailed
from include.system_errors import cause_of

_SECONDS = 10.0
_WRONG = (
    "A webhook's connection needs a host, http or https, and `form` teams or none. A login has fields of its own, and"
    " the address has no #."
)


class _NoRedirect(HTTPRedirectHandler):
    """A redirect would turn the post into a request without content."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _parts_of(url: str) -> SplitResult:
    """Take an address apart. Raises SettingInvalid: what Python says of a wrong one may quote a password."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # checked when it is asked for
    except ValueError:
        raise SettingInvalid(_WRONG) from None
    return parts


@dataclass(frozen=True)
class Webhook:
    """Where to post, and with which headers: secrets. `form`: `teams` where the receiver wants an Adaptive Card."""

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    form: str = ""

    @classmethod
    def of_connection(cls, connection: Any) -> Webhook:
        """Read an Airflow connection of the type HTTP. Raises SettingInvalid.

        With a login the password is that of the login; without one it is the secret end of the address, as Slack and
        Teams have it. What stands in the connection's extra, but for `form`, are headers.
        """
        host, extra, password = connection.host or "", dict(connection.extra_dejson), connection.password or ""
        form = str(extra.pop("form", ""))
        url = host if "://" in host else f"{connection.schema or 'https'}://{host}"
        if connection.port and _parts_of(url).port is None:
            scheme, _, rest = url.partition("://")
            name, slash, path = rest.partition("/")
            url = f"{scheme}://{name}:{connection.port}{slash}{path}"
        headers = {str(name): str(value) for name, value in extra.items()}
        if connection.login:
            login = b64encode(f"{connection.login}:{password}".encode()).decode()
            headers["Authorization"] = f"Basic {login}"
        elif password:
            url = f"{url.rstrip('/')}/{password.lstrip('/')}"
        parts = _parts_of(url)
        is_plain = parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc
        if not is_plain or parts.fragment or form not in ("", "teams"):
            raise SettingInvalid(_WRONG)
        return cls(url, headers, form)

    def post(self, content: Mapping[str, Any]) -> None:
        """Post once. Raises WebhookFailed, which names the host and no more of the address."""
        headers = {"Content-Type": "application/json", "User-Agent": "client-imports", **self.headers}
        host = urlsplit(self.url).hostname
        try:
            # `of_connection` takes http and https alone.
            request = Request(self.url, json.dumps(content).encode(), headers, method="POST")  # noqa: S310
            answer: HTTPResponse
            with build_opener(_NoRedirect).open(request, timeout=_SECONDS) as answer:
                answer.read(1)
        except HTTPError as error:
            raise WebhookFailed(f"The webhook at {host} says {error.code}.") from None
        except (OSError, HTTPException, ValueError) as error:
            cause = error.reason if isinstance(error, URLError) and isinstance(error.reason, OSError) else error
            raise WebhookFailed(f"The webhook at {host} does not answer: {cause_of(cause)}.") from None
