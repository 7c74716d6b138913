"""Runs compiled Schematron (XSLT 2.0) with saxonche, compiled once per process.

One processor and one lock for the whole process, on purpose: a compiled stylesheet keeps the
input of its run as state, so two threads must not share it unguarded, and saxonche holds
Python's interpreter lock while it works, so a processor per thread would cost each thread a
compile (0.6 s and some 50 MB for EN 16931) and win nothing. Nothing is created at import: a
process that forks must do so before its first validation, as a native heap does not survive it.
"""

from __future__ import annotations

from pathlib import Path
from threading import Lock
from typing import Any

_lock = Lock()
_processor: Any = None
_compiled: dict[Path, Any] = {}


class RunFailed(Exception):
    """The rules stopped with a dynamic error, so they gave no verdict."""


def run(stylesheet: Path, document: str) -> bytes:
    """The SVRL report of ``document`` (without an XML declaration) under a compiled rule set.

    Raises ``RunFailed`` where the rules stop, e.g. on ``xs:boolean('value')``.
    """
    from saxonche import PySaxonApiError  # type: ignore[import-not-found, unused-ignore]

    with _lock:
        try:
            executable = _executable(stylesheet)
            node = _processor.parse_xml(xml_text=document)
            report: str = executable.transform_to_string(xdm_node=node)
        except PySaxonApiError as error:
            raise RunFailed(str(error).strip()) from None
    return report.encode()


def _executable(stylesheet: Path) -> Any:
    if stylesheet not in _compiled:
        compiler = _start().new_xslt30_processor()
        executable = compiler.compile_stylesheet(stylesheet_file=str(stylesheet))
        executable.set_property("!indent", "no")
        _compiled[stylesheet] = executable
    return _compiled[stylesheet]


def _start() -> Any:
    global _processor
    if _processor is None:
        from saxonche import PySaxonProcessor

        _processor = PySaxonProcessor(license=False)
    return _processor
