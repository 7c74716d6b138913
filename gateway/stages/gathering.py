"""Work that is cheaper together: whoever comes while a set is being done forms the next set.

A caller that comes alone is served alone and at once. No thread of its own: the first to get its
turn works for all who wait. The answer to each is its own.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Gathering(Generic[Item, Answer]):
    """``work`` answers a set of up to ``limit`` items, in their order. If it raises, all of the set
    get that error."""

    def __init__(self, work: Callable[[Sequence[Item]], Sequence[Answer]], limit: int = 100) -> None:
        self._work = work
        self._limit = limit
        self._waiting: deque[tuple[Item, Future[Answer]]] = deque()
        self._turn = threading.Lock()

    def join(self, item: Item) -> Answer:
        """The answer to ``item``, once its set is done."""
        mine: Future[Answer] = Future()
        self._waiting.append((item, mine))
        while not mine.done():
            with self._turn:
                if not mine.done():
                    self._serve()
        return mine.result()

    def _serve(self) -> None:
        count = min(len(self._waiting), self._limit)
        served = [self._waiting.popleft() for _ in range(count)]
        try:
            answers = self._work([item for item, _ in served])
        except BaseException as error:
            for _, future in served:
                future.set_exception(error)
            return
        for (_, future), answer in zip(served, answers, strict=True):
            future.set_result(answer)
