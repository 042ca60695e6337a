"""What is said of a file before a byte of it is read, and its bytes (SPEC.md section 4)."""

from __future__ import annotations

from stat import S_ISREG

from include.adapters.files.paths import FilePath
from include.codes import Code, message_for
from include.errors import FileRefused
from include.schemas.feed import Feed
from include.transforms.csv_reading.screening import check_name, check_size
from include.transforms.csv_reading.unpacking import is_compressed, unpack


def read_sent(name: str, path: FilePath, feed: Feed) -> tuple[bytes, bytes]:
    """Give the bytes as they were received, and the text in them: the same unless the feed has archives.

    Raises FileRefused.
    """
    check_unread(name, path, feed)
    received = path.read_bytes()
    return received, text_in(name, received, feed)


def text_in(name: str, received: bytes, feed: Feed) -> bytes:
    """Give the bytes of the CSV text in a file that was received. Raises FileRefused."""
    if feed.compression and is_compressed(name, feed.compression):
        return unpack(received, feed.compression, feed.max_bytes)
    return received


def check_unread(name: str, path: FilePath, feed: Feed) -> None:
    """Raise FileRefused for a name, a kind of file or a size that is never read. No file at all is a system error."""
    check_name(name, feed.compression)
    if not S_ISREG(path.lstat().st_mode):
        raise FileRefused(
            Code.FILE_NAME, message_for(Code.FILE_NAME, detail="The file is a link or a device, not a file.")
        )
    check_size(path.stat().st_size, feed.max_bytes)
