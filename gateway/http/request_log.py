"""The log as JSON lines on standard error: one per request, and what went wrong.

Never a body, a query, a header or a key: only who asked for what, how it ended and how long it took.
"""

from __future__ import annotations

import logging
import sys

import structlog


def configure(level: str) -> None:
    """Write JSON lines from ``level`` on, unless the process has set up its log already."""
    if structlog.is_configured():
        return
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping().get(level.upper(), 20)
        ),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
