"""The XML Schema of a camt version: it warns and never refuses.

Every third file that banks send is not valid against its own schema, and most of those can be read
without doubt. The check is a pass of its own after the reader's: a parser that validates keeps quiet
about broken or cut-off XML, so the pass that is believed never validates. It ends at the first few
complaints. The schemas are ISO 20022's; none is shipped, a folder of them is named by the caller.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from lxml import etree

from formats.camt.opening import Opening
from formats.camt.source import Source
from formats.camt.values import drop

_SHOWN = 5
_ENOUGH = 1_000  # complaints
_LOOK = 100  # entries and details between two looks at the complaints


class Check:
    """The schema check of one file. ``is_done``: there was a schema to check against."""

    def __init__(self, schemas: Path | None, opening: Opening) -> None:
        self.schema: etree.XMLSchema | None = None
        self.warnings: tuple[str, ...] = ()
        if schemas is None:
            return
        path = schemas / f"{opening.version}.xsd"
        if opening.version and not opening.is_enveloped and path.is_file():
            self.schema = _schema(path, path.stat().st_mtime_ns)
        else:
            what = opening.version or "no version"
            self.warnings = (f"The file was not checked against its schema ({what}).",)

    @property
    def is_done(self) -> bool:
        return self.schema is not None

    def run(self, source: Source, tags: tuple[str, ...]) -> None:
        """Ask the schema, if there is one; its complaints become ``warnings``."""
        if self.schema is None:
            return
        complaints, is_all = _complaints(source.validated(tags, self.schema))
        if complaints:
            count = f"{len(complaints)}" if is_all else f"at least {len(complaints)}"
            told = f"The file is not valid against its own schema: {count} errors."
            self.warnings = (told, *complaints[:_SHOWN])


def _complaints(events: etree.iterparse) -> tuple[list[str], bool]:
    """The schema's complaints, and whether they are all: the file is given up where they are enough."""
    is_all = True
    try:
        for count, (_, element) in enumerate(events):
            drop(element)
            if count % _LOOK == 0 and len(events.error_log) > _ENOUGH:
                is_all = False
                break
    except etree.XMLSyntaxError:
        pass  # how lxml says at the end that the schema has complained; the syntax is proved before
    return [error.message for error in events.error_log], is_all


@lru_cache(maxsize=8)
def _schema(path: Path, _: int) -> etree.XMLSchema:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    return etree.XMLSchema(etree.parse(str(path), parser))
