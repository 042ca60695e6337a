"""An embedded PostgreSQL for the whole session, and a clean client database for each test that asks for one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings

from demo import embedded_postgres, reference_data
from include import migrations
from include.adapters.database.engine import engine_from_url
from include.adapters.files.storage import Storage
from include.models import ImportResult
from include.schemas.feed import Feed
from include.settings import Login
from include.steps.import_file import import_file
from tests import inboxes, local_server
from tests.airflow_installation import airflow, feeds_folder, impatient, installation, ledger

# Seen here, they are one Airflow for all tests of a process.
__all__ = ["airflow", "feeds_folder", "impatient", "installation", "ledger"]

PROJECT, DESK = "66524609caa3558dd8f8da65", "67a346ad8092c651c919337e"
PARTNERS, LONDON, NIGHT = "6655aa10caa3558dd8f8da99", "67a3470d8092c651c9193390", "67a3470d8092c651c9193391"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Give each process whole files, and one process all tests of the browser: they share a whole Airflow."""
    from xdist.scheduler import LoadFileScheduling

    class OneProcessForTheBrowser(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "browser" if nodeid.startswith("tests/browser/") else super()._split_scope(nodeid)

    return OneProcessForTheBrowser(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start with what takes longest, so that the processes end together."""
    first = ("tests/browser/", "tests/faults/", "tests/dags/")
    items.sort(key=lambda item: not item.nodeid.startswith(first))


@pytest.fixture(scope="session")
def postgres() -> Iterator[embedded_postgres.EmbeddedPostgres]:
    """Not below pytest's own folder: that is for its owner alone, and the server gives up root."""
    with TemporaryDirectory(prefix="clients-postgres-") as folder:
        Path(folder).chmod(0o755)
        server = embedded_postgres.start(Path(folder))
        yield server
        server.stop()


@pytest.fixture(scope="session")
def clients_url(postgres: embedded_postgres.EmbeddedPostgres) -> str:
    return with_tables(postgres.url("clients"))


def with_tables(url: str) -> str:
    """Bring a database up to date, and load the reference data into it."""
    engine = engine_from_url(url)
    migrations.upgrade(engine)
    reference_data.load(engine)
    engine.dispose()
    return url


@pytest.fixture(scope="session")
def shared_engine(clients_url: str) -> Iterator[sa.Engine]:
    engine = engine_from_url(clients_url)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session", params=["embedded", *local_server.if_it_listens()])
def engine_on_every_server(request: pytest.FixtureRequest) -> Iterator[sa.Engine]:
    """For modules whose tests must hold on each server there is: they name it `shared_engine`."""
    with ExitStack() as stack:
        if request.param == "embedded":
            url = request.getfixturevalue("clients_url")
        else:
            url = with_tables(stack.enter_context(local_server.own_database()))
        engine = engine_from_url(url)
        yield engine
        engine.dispose()


@pytest.fixture
def engine(shared_engine: sa.Engine) -> sa.Engine:
    empty(shared_engine)
    return shared_engine


def empty(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        for table in (
            "uploads",
            "import_rows",
            "imports",
            "clients",
            "expected_feeds",
            "mailed_scorecards",
            "remembered_mappings",
        ):
            connection.execute(sa.text(f"DELETE FROM {table}"))


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(tmp_path / "storage")


@pytest.fixture(params=["folder", "s3"])
def folder_or_bucket(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    """Give a storage in a folder, then one in a bucket."""
    return (
        Storage(tmp_path / "storage")
        if request.param == "folder"
        else inboxes.on_s3(request.getfixturevalue("s3_login")).storage
    )


@pytest.fixture(scope="session")
def s3_login() -> Iterator[Login]:
    with inboxes.s3_server() as login:
        yield login


@pytest.fixture(scope="session")
def sftp_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[inboxes.SftpServer]:
    with inboxes.sftp_server(tmp_path_factory.mktemp("partner")) as server:
        yield server


@pytest.fixture(params=["folder", "s3", "sftp"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> inboxes.InboxUnderTest:
    """Give an empty inbox and the storage that claims its files, for each kind of inbox."""
    if request.param == "s3":
        return inboxes.on_s3(request.getfixturevalue("s3_login"))
    if request.param == "sftp":
        return inboxes.on_sftp(request.getfixturevalue("sftp_server"), tmp_path)
    return inboxes.in_a_folder(tmp_path)


@pytest.fixture
def feed() -> Feed:
    return Feed(name="default", title="Manual uploads", stable_seconds=0)


@pytest.fixture
def bring(engine: sa.Engine, storage: Storage, feed: Feed, tmp_path: Path) -> Callable[..., ImportResult]:
    """Import text as one file and give the result; keyword arguments are keys of the feed, or of `import_file`."""
    count = iter(range(10**6))

    def _bring(text: str | bytes, **keys: object) -> ImportResult:
        own = {name: keys.pop(name) for name in ("force", "dry_run", "clock") if name in keys}
        name = str(keys.pop("file_name", f"file{next(count)}.csv"))
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return import_file(path, feed=feed.model_copy(update=keys), engine=engine, storage=storage, **own)  # type: ignore[arg-type]

    return _bring


@pytest.fixture
def clients(engine: sa.Engine) -> Callable[[], dict[str, dict[str, object]]]:
    """The client table as it is now, by e-mail key."""

    def _clients() -> dict[str, dict[str, object]]:
        with engine.connect() as connection:
            return {
                row["email_key"]: dict(row) for row in connection.execute(sa.text("SELECT * FROM clients")).mappings()
            }

    return _clients


os.environ.setdefault("XDG_RUNTIME_DIR", "/tmp")
# Timing never decides a test. A property that names no number of examples has 100; `make properties` sets thousands.
settings.register_profile(
    "ours", deadline=None, max_examples=int(os.environ.get("PROPERTY_EXAMPLES", "100")),
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip
settings.load_profile("ours")
