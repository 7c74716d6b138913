"""Settings from the environment (``O2C_*``). Every one is described in docs/operations.md."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from gateway.folders import data_folder, rules_cache, schema_cache


class Settings(BaseSettings):
    """One installation. Nothing here differs between companies."""

    model_config = SettingsConfigDict(env_prefix="O2C_", env_ignore_empty=True)

    database_url: str = Field(default_factory=lambda: f"sqlite:///{data_folder() / 'o2c.sqlite'}")
    queue_url: str = ""  # default: beside the database
    outbox_dir: Path = Field(default_factory=lambda: data_folder() / "outbox")
    rules_cache: Path = Field(default_factory=rules_cache)
    schema_cache: Path = Field(default_factory=schema_cache)
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
    lease_seconds: float = 120.0  # a worker that is silent for longer has lost its job to the next
