"""Many threads that start together: the callers of a busy minute."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def at_once(count: int, action: Callable[[int], T]) -> list[T | Exception]:
    """``action(0..count-1)`` in as many threads, started together; results or what was raised."""
    gate = threading.Barrier(count)

    def run(place: int) -> T | Exception:
        gate.wait()
        try:
            return action(place)
        except Exception as error:
            return error

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(run, range(count)))
