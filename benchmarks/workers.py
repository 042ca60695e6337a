"""Whether merges of several workers overlap where the database answers slowly: `make bench-workers`.

A proxy on 127.0.0.1 holds back each message to PostgreSQL, as a network does. The same files are imported by one worker
process and by two, each with a feed of its own: once with clients that no other file has, once with the same clients in
all files. Afterwards each record of each file must have its outcome, and each client must be there once.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import sqlalchemy as sa

from benchmarks import client_files, database
from benchmarks.speed import machine
from include.adapters.database.engine import engine_from_url
from include.adapters.files.storage import Storage
from include.schemas.feed import Feed
from include.steps.import_file import import_file

FILES, RECORDS = 12, 1_000


async def _hold_back(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float) -> None:
    while data := await reader.read(1 << 16):
        await asyncio.sleep(seconds)
        writer.write(data)
        await writer.drain()
    writer.close()


def proxy(socket: str, seconds: float, link: Connection) -> None:
    """Pass connections on to PostgreSQL at its socket; each message to it waits. Sends its own port."""

    async def serve() -> None:
        async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            back, there = await asyncio.open_unix_connection(socket)
            await asyncio.gather(_hold_back(reader, there, seconds), _hold_back(back, writer, 0))

        server = await asyncio.start_server(connect, "127.0.0.1", 0)
        link.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(serve())


@contextmanager
def slowly(url: str, milliseconds: float) -> Iterator[str]:
    """Give an address of the same database that answers slowly."""
    ours, theirs = multiprocessing.Pipe()
    parsed = sa.make_url(url)
    arguments = (f"{parsed.query['host']}/.s.PGSQL.{parsed.port or 5432}", milliseconds / 1000, theirs)
    process = multiprocessing.get_context("spawn").Process(target=proxy, args=arguments, daemon=True)
    process.start()
    theirs.close()
    address = parsed.set(host="127.0.0.1", port=ours.recv(), query={})
    yield address.render_as_string(hide_password=False)
    process.kill()


def work(url: str, name: str, paths: Sequence[Path], folder: Path, link: Connection) -> None:
    """Import files one after another, as one worker does, once the other side says go."""
    engine, feed, storage = engine_from_url(url), Feed(name=name, title=name), Storage(folder / name)
    engine.connect().close()
    link.send("ready")
    link.recv()
    for path in paths:
        import_file(path, feed=feed, engine=engine, storage=storage)
    link.send("done")


def seconds_of(workers: int, url: str, paths: Sequence[Path], folder: Path) -> float:
    """Divide the files among worker processes; gives the seconds until all are imported."""
    links = []
    for number in range(workers):
        ours, theirs = multiprocessing.Pipe()
        arguments = (url, f"feed{number}", paths[number::workers], folder, theirs)
        multiprocessing.get_context("spawn").Process(target=work, args=arguments).start()
        theirs.close()  # a worker that fails ends the wait for it
        assert ours.recv() == "ready"
        links.append(ours)
    began = time.perf_counter()
    for link in links:
        link.send("go")
    for link in links:
        assert link.recv() == "done"
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--milliseconds", type=float, default=20, help="how long each message to PostgreSQL waits")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    print(f"{machine()}; {FILES} files of {RECORDS:,} records, {options.milliseconds:.0f} ms")
    with database.server() as (postgres, folder):
        url = postgres.url("clients")
        engine = database.build(url)
        with slowly(url, options.milliseconds) as slow:
            for shared in (False, True):
                paths = [
                    client_files.write(
                        folder / f"{n}.csv",
                        range(0 if shared else n * RECORDS, (1 if shared else n + 1) * RECORDS),
                        f"N{n}",
                    )
                    for n in range(FILES)
                ]
                for _ in range(options.runs):
                    one, two = (_measured(count, engine, slow, paths, folder, shared) for count in (1, 2))
                    print(f"{'the same' if shared else 'other'} clients: 1 worker {one:.1f} s, 2 workers {two:.1f} s; "
                          f"{two / one:.2f}")  # fmt: skip


def _measured(workers: int, engine: sa.Engine, url: str, paths: Sequence[Path], folder: Path, shared: bool) -> float:
    database.empty(engine)
    seconds = seconds_of(workers, url, paths, folder)
    with engine.connect() as connection:
        merged, rows = connection.execute(
            sa.text("SELECT count(*), sum(read) FROM imports WHERE state = 'merged'")
        ).one()
        outcomes = connection.scalar(sa.text("SELECT count(*) FROM import_rows"))
        clients = connection.scalar(sa.text("SELECT count(*) FROM clients"))
    expected = (FILES, FILES * RECORDS, FILES * RECORDS, RECORDS * (1 if shared else FILES))
    assert (merged, rows, outcomes, clients) == expected, (merged, rows, outcomes, clients)
    return seconds


if __name__ == "__main__":
    main()
