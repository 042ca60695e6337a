"""The FastAPI application behind `/client-imports`. Nothing in it answers without a login."""

from __future__ import annotations

import logging
from typing import Any

import sqlalchemy as sa
from airflow.api_fastapi.core_api.security import get_user
from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from client_imports_page.bodies import Bodies
from client_imports_page.permissions import same_origin
from client_imports_page.rendering import error_page
from client_imports_page.routes import (
    actions,
    api,
    checks,
    clients,
    corrections,
    details,
    feeds,
    files,
    lists,
    one_import,
    remembered,
)
from include.codes import Code
from include.errors import (
    AirflowDatabaseFailed,
    FileRefused,
    ImportNotFound,
    KeyUsedOtherwise,
    StorageMissing,
    TooLateToCancel,
    TooManyUploads,
    UploadNotFound,
)
from include.system_errors import cause_of

log = logging.getLogger(__name__)

_HEADERS = {
    b"content-security-policy": (
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        b"form-action 'self'; frame-ancestors 'self'; base-uri 'none'"
    ),
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"same-origin",
    b"cache-control": b"no-store",
}


class _SecurityHeaders:
    """Adds to every answer, also to errors, what a browser may do with it. A route's own header wins."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                own = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *((n, v) for n, v in _HEADERS.items() if n not in own)]
            await send(message)

        await self.app(scope, receive, with_headers)


class _Application(FastAPI):
    """An application whose every answer is looked after, also that to an unexpected error."""

    def build_middleware_stack(self) -> Any:
        return _SecurityHeaders(Bodies(super().build_middleware_stack()))


def build_app() -> FastAPI:
    """Build the application that Airflow's API server mounts."""
    # Documentation pages would be public: dependencies of the whole application do not cover them.
    app = _Application(
        title="Client imports", version="1", description="Send files of clients from a program, and follow them.",
        servers=[{"url": "/client-imports", "description": "The API server of Airflow."}],
        docs_url=None, redoc_url=None, openapi_url=None,
        dependencies=[Depends(same_origin), Depends(get_user)],
        exception_handlers={
            HTTPException: _http_error,
            RequestValidationError: _invalid_request,
            ImportNotFound: _not_found,
            UploadNotFound: _not_found,
            FileRefused: _refused,
            KeyUsedOtherwise: _key_used,
            TooManyUploads: _too_many,
            TooLateToCancel: _too_late,
            ClientDisconnect: _broken_off,
            StorageMissing: _storage_error,
            AirflowDatabaseFailed: _airflow_error,
            sa.exc.DataError: _not_text,
            sa.exc.SQLAlchemyError: _database_error,
            OSError: _system_error,
            Exception: _unexpected_error,
        },
    )  # fmt: skip
    for module in (clients, lists, details, one_import, feeds, api, checks, remembered, actions, corrections, files):
        # What the others answer is for the page alone, and no promise.
        app.include_router(module.router, include_in_schema=module in (api, checks))
    return app


async def _http_error(request: Request, error: HTTPException) -> Response:
    return error_page(request, error.status_code, str(error.detail))


async def _invalid_request(request: Request, error: RequestValidationError) -> Response:
    names = sorted({str(problem["loc"][-1]) for problem in error.errors()})
    return error_page(request, 422, f"Not understood: {', '.join(names)}.")


async def _not_found(request: Request, _error: Exception) -> Response:
    return error_page(request, 404, "There is no such import, or you may not see it.")


async def _refused(_request: Request, refused: FileRefused) -> Response:
    statuses = {Code.FILE_TOO_LARGE: 413, Code.FILE_NAME: 422}
    return JSONResponse({"detail": refused.message, "code": refused.code}, statuses.get(Code(refused.code), 400))


async def _key_used(request: Request, error: KeyUsedOtherwise) -> Response:
    return error_page(request, 422, str(error))


async def _too_late(request: Request, error: TooLateToCancel) -> Response:
    return error_page(request, 409, str(error))


async def _too_many(request: Request, error: TooManyUploads) -> Response:
    answer = error_page(request, 429, str(error))
    answer.headers["Retry-After"] = "60"
    return answer


async def _broken_off(_request: Request, _error: ClientDisconnect) -> Response:
    """The sender has gone before the whole file came, so nobody reads this answer, and nothing is kept."""
    return Response(status_code=400)


async def _airflow_error(request: Request, error: AirflowDatabaseFailed) -> Response:
    log.error("Airflow's database failed: %s", error)
    return error_page(request, 503, "System error: Airflow's own database does not answer. Please try again later.")


async def _storage_error(request: Request, error: StorageMissing) -> Response:
    log.error("The storage failed: %s", error)
    return error_page(request, 503, "System error: the file storage does not answer. Please try again later.")


async def _system_error(request: Request, error: OSError) -> Response:
    log.error("The operating system failed: %s", cause_of(error))
    return error_page(request, 503, f"System error: {cause_of(error)}. Please try again later.")


async def _not_text(request: Request, _error: Exception) -> Response:
    """The database cannot even compare some characters, such as NUL."""
    return error_page(request, 422, "Not understood: it contains characters that no text has.")


async def _database_error(request: Request, error: Exception) -> Response:
    log.error("The client database failed: %s", type(error).__name__)
    return error_page(request, 503, "System error: the client database does not answer. Please try again later.")


async def _unexpected_error(request: Request, _error: Exception) -> Response:
    """Starlette raises the error again after this answer, so it is in the log of the API server."""
    return error_page(request, 500, "System error: the log of Airflow's API server has the details.")
