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
_compiled: dict[Path | str, Any] = {}


class RunFailed(Exception):
    """The rules stopped with a dynamic error, so they gave no verdict."""


class Document:
    """A document (without an XML declaration), read by Saxon once for all rule sets."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._node: Any = None

    def fired(self, stylesheet: Path | str) -> list[str]:
        """What fired under a rule set (a file, or the stylesheet's text), as SVRL elements in their order.

        The report is searched where it is and only what fired is written out: most of a report
        says which rules were looked at. Raises ``RunFailed`` where the rules stop, e.g. on
        ``xs:boolean('value')``.
        """
        from saxonche import PySaxonApiError  # type: ignore[import-not-found, unused-ignore]

        with _lock:
            try:
                executable = _executable(stylesheet)
                if self._node is None:
                    self._node = _processor.parse_xml(xml_text=self._text)
                report = executable.transform_to_value(xdm_node=self._node)
                return _search(report.head)
            except PySaxonApiError as error:
                raise RunFailed(str(error).strip()) from None


def _search(report: Any) -> list[str]:
    search = _processor.new_xpath_processor()
    search.declare_namespace("svrl", "http://purl.oclc.org/dsdl/svrl")
    search.set_context(xdm_item=report)
    found = search.evaluate("//svrl:failed-assert | //svrl:successful-report")
    return [] if found is None else [str(found.item_at(place)) for place in range(found.size)]


def _executable(stylesheet: Path | str) -> Any:
    if stylesheet not in _compiled:
        compiler = _start().new_xslt30_processor()
        given = "stylesheet_file" if isinstance(stylesheet, Path) else "stylesheet_text"
        _compiled[stylesheet] = compiler.compile_stylesheet(**{given: str(stylesheet)})
    return _compiled[stylesheet]


def _start() -> Any:
    global _processor
    if _processor is None:
        from saxonche import PySaxonProcessor

        _processor = PySaxonProcessor(license=False)
    return _processor
