"""A delivery channel that puts each document into a folder which somebody else empties.

POSIX gives the promise: written under a hidden name, flushed, renamed over the final name, so a
reader sees the whole file or none, also after a power cut. The file is named by its message id:
sending again finds it there. Must never overwrite a document with other bytes.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from uuid import uuid4

from o2c.errors import Broken, Unavailable
from o2c.ports import Parcel

_UNSAFE = re.compile(rb"[^A-Za-z0-9._@=+-]|^\.")


class FileDrop:
    """``DeliveryChannel`` into ``folder/COMPANY/RECIPIENT``: companies never share a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, parcel: Parcel) -> str:
        """The path of the file. ``Unavailable('folder')`` when the disk says no, ``Broken`` when
        the message id is already there with other bytes."""
        place = self._folder / file_name(parcel.company_id) / file_name(parcel.recipient)
        target = place / file_name(parcel.message_id + _suffix(parcel))
        content = _content(parcel)
        try:
            if not _is_there(target, content):
                _write_whole(target, content)
        except OSError as error:
            raise Unavailable(
                "folder",
                f"cannot write {target}: {error.strerror}.",
                next_step="Make room or mend the folder's permissions; the delivery is tried again.",
            ) from error
        return str(target)


def file_name(text: str) -> str:
    """``text`` as one path component: every doubtful byte becomes ``%XX``, so two ids never share
    a name and none leaves the folder. ``0192:987`` -> ``0192%3A987``."""
    return _UNSAFE.sub(lambda hit: b"%%%02X" % hit[0][0], text.encode()).decode() or "%"


def _suffix(parcel: Parcel) -> str:
    return Path(parcel.file_name or "notice.txt").suffix


def _content(parcel: Parcel) -> bytes:
    if parcel.content is not None:
        return parcel.content
    return f"{parcel.subject}\n\n{parcel.body}\n".encode()  # a notice without a document


def _is_there(target: Path, content: bytes) -> bool:
    try:
        found = target.read_bytes()
    except FileNotFoundError:
        return False
    if found != content:
        raise Broken(
            "message-changed",
            f"{target} holds other bytes than the document now sent under the same message id.",
            next_step="Compare both with the archive; a changed document needs a message id of its own.",
        )
    return True


def _write_whole(target: Path, content: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{uuid4().hex}.part")  # two workers never share one
    try:
        with part.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)
    _flush_folder(target.parent)


def _flush_folder(folder: Path) -> None:
    # The rename itself lives in the folder; without this a power cut may undo it.
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
