"""Settings from the environment (``O2C_*``). Every one is described in docs/operations.md."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


def data_folder() -> Path:
    """The user's data folder: ``$XDG_DATA_HOME/o2c``, by default ``~/.local/share/o2c``."""
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "o2c"


class Settings(BaseSettings):
    """One installation. Nothing here differs between companies."""

    model_config = SettingsConfigDict(env_prefix="O2C_")

    database_url: str = Field(default_factory=lambda: f"sqlite:///{data_folder() / 'o2c.sqlite'}")
    queue_url: str = ""  # default: beside the database
    outbox_dir: Path = Field(default_factory=lambda: data_folder() / "outbox")
    rules_cache: Path = Field(default_factory=lambda: data_folder() / "rulesets")
    schema_cache: Path = Field(default_factory=lambda: data_folder() / "schemas")
    smtp_host: str = ""
    smtp_port: int = 25
    smtp_sender: str = "o2c@localhost"
    smtp_starttls: bool = False
    smtp_user: str = ""
    smtp_password: str = Field(default="", repr=False)
    webhook_private_hosts: bool = False
    bank_file_limit: int = 200_000_000
    request_limit: int = 50_000_000
    log_level: str = "INFO"
    workers: int = 2
