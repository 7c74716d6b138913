"""The demo's folder: its database, what came in, what went out, and whether the story is finished.

Everything the demo makes lies in this one folder; nothing else in it is touched. A run that was cut
short leaves no ``summary.txt``, and the next run starts it over from nothing.
"""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from gateway.settings import Settings
from o2c.errors import Conflict

_OURS = ("received", "bank", "outbox", "saft")


@dataclass(frozen=True, slots=True)
class Place:
    """One demo folder."""

    folder: Path

    @property
    def database_url(self) -> str:
        """The address of its SQLite file."""
        return f"sqlite:///{self._database}"

    @property
    def _database(self) -> Path:
        return self.folder / "demo.sqlite"

    @property
    def outbox(self) -> Path:
        """Where invoices and notices are dropped."""
        return self.folder / "outbox"

    @property
    def summary(self) -> Path:
        """What the demo showed, as text: written last, so it says that the story is finished."""
        return self.folder / "summary.txt"

    @property
    def key_file(self) -> Path:
        """The API key of NO1, readable by the user only."""
        return self.folder / "api-key"

    def order_file(self, company_id: str, document_id: str) -> Path:
        """Where a Peppol order that came in is kept."""
        return self.folder / "received" / f"{company_id}-{document_id}.xml"

    def statement_file(self, company_id: str, currency: str, day: date) -> Path:
        """Where a bank file is kept."""
        return self.folder / "bank" / f"{company_id}-{currency}-{day}.xml"

    def saft_file(self, name: str) -> Path:
        """Where a SAF-T file is kept."""
        return self.folder / "saft" / name

    @property
    def saft(self) -> Path:
        """The SAF-T file of the story."""
        return min((self.folder / "saft").glob("*.xml"))

    @property
    def is_finished(self) -> bool:
        """Was the whole story told here before?"""
        return self.summary.is_file() and self._database.is_file()

    @property
    def is_broken(self) -> bool:
        """Did a run end before its story did?"""
        return self._database.exists() and not self.is_finished

    def clear(self) -> None:
        """Remove what an unfinished run has left; other files in the folder stay."""
        for path in self.folder.glob("demo.sqlite*"):
            path.unlink()
        for name in _OURS:
            shutil.rmtree(self.folder / name, ignore_errors=True)
        for path in (self.summary, self.key_file):
            path.unlink(missing_ok=True)

    def settings(self) -> Settings:
        """Its settings: no mail leaves. The caches of official rules and schemas are the user's own."""
        return Settings(
            database_url=self.database_url,
            outbox_dir=self.outbox,
            queue_url="",
            smtp_host="",
            log_level="WARNING",
        )

    def environment(self) -> dict[str, str]:
        """The same for ``o2c`` commands, which read the environment."""
        return {
            "O2C_DATABASE_URL": self.database_url,
            "O2C_OUTBOX_DIR": str(self.outbox),
            "O2C_QUEUE_URL": "",
            "O2C_SMTP_HOST": "",
            "O2C_LOG_LEVEL": "WARNING",
        }

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else tells the story here meanwhile; ``Conflict('demo-running')``."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise Conflict(
                    "demo-running",
                    f"another demo is running in {self.folder}.",
                    next_step="Wait until it has ended, or choose another --folder.",
                ) from None
            yield
