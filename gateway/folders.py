"""Where this user's files lie: read from the environment alone, so that the command line can know it
without loading the settings (and pydantic with them). ``gateway.settings`` uses the same functions.
"""

from __future__ import annotations

import os
from pathlib import Path


def data_folder() -> Path:
    """The user's data folder: ``$XDG_DATA_HOME/o2c``, by default ``~/.local/share/o2c``."""
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "o2c"


def rules_cache() -> Path:
    """The official validation rules: ``$O2C_RULES_CACHE``, by default in the data folder."""
    return Path(os.environ.get("O2C_RULES_CACHE") or data_folder() / "rulesets")


def schema_cache() -> Path:
    """The SAF-T schemas: ``$O2C_SCHEMA_CACHE``, by default in the data folder."""
    return Path(os.environ.get("O2C_SCHEMA_CACHE") or data_folder() / "schemas")
