"""Another process of our own, and the pipe to it: work goes there, what comes of it comes back.

The other process is started anew, not forked: nothing of this one's threads, locks and connections is in
it. It ends when its pipe does, for whatever reason.
"""

from __future__ import annotations

import os
import pickle
import signal
import socket
import struct
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any

_ROOT = Path(__file__).parents[1]
_SIZE = struct.Struct("!Q")  # the length of a message goes before it
_PATIENCE = 30  # seconds for a process to end once its pipe is closed


@dataclass(frozen=True, slots=True)
class Said:
    """What comes back: a thing, or the error that ended the work; at last ``is_all``."""

    thing: Any = None
    error: BaseException | None = None
    is_all: bool = False


class Line:
    """One end of the pipe. What arrives is taken in at once, so that neither side waits for the other to
    listen."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._arrived: SimpleQueue[bytearray | None] = SimpleQueue()
        threading.Thread(target=self._listen, name="o2c-pipe", daemon=True).start()

    def _listen(self) -> None:
        try:
            while True:
                (size,) = _SIZE.unpack(self._taken(_SIZE.size))
                self._arrived.put(self._taken(size))
        except (EOFError, OSError):
            self._arrived.put(None)

    def _taken(self, size: int) -> bytearray:
        """So many bytes, into one place."""
        content = bytearray(size)
        left = memoryview(content)
        while left:
            count = self._end.recv_into(left, 0, socket.MSG_WAITALL)  # woken once, not for every piece
            if not count:
                raise EOFError
            left = left[count:]
        return content

    def send(self, thing: object) -> None:
        """Where nobody is there any more the next ``receive`` tells."""
        content = pickle.dumps(thing, pickle.HIGHEST_PROTOCOL)
        with suppress(OSError):
            self._end.sendall(_SIZE.pack(len(content)))
            self._end.sendall(content)

    def fail(self, error: BaseException) -> None:
        """Tell what went wrong, and where."""
        error.add_note("In another process:\n" + "".join(traceback.format_exception(error)))
        self.send(Said(error=error))

    def receive(self) -> Any:
        """The next thing; ``EOFError`` once the other end has gone."""
        arrived = self._arrived.get()
        if arrived is None:
            self._arrived.put(None)
            raise EOFError
        return pickle.loads(arrived)

    def close(self) -> None:
        """Nothing more will come."""
        with suppress(OSError):
            self._end.shutdown(socket.SHUT_RDWR)
        self._end.close()


@contextmanager
def process(work: Callable[..., None], *given: object) -> Iterator[Line]:
    """The line to a new process that does ``work(line, *given)``; it has ended when this ends."""
    mine, its = socket.socketpair()
    path = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
    started = subprocess.Popen(
        [sys.executable, "-c", "from gateway.pipe import main; main()", str(its.fileno())],
        pass_fds=[its.fileno()],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": path},
    )
    its.close()
    line = Line(mine)
    try:
        line.send((work, given))
        yield line
    finally:
        line.close()
        try:
            started.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


def main() -> None:
    """The other process; its only argument is the file descriptor of its end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it ends when the pipe does
    line = Line(socket.socket(fileno=int(sys.argv[1])))
    work, given = line.receive()
    work(line, *given)
