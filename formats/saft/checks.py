"""The checks of ``check.py``: what one pass over the records remembers and finds.

Each finding bears the id of its rule (``saft-F01`` ...) and names its record. Amounts are read
as integer hundredths; what is no amount is a finding and counts as zero.
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from lxml import etree

from formats.saft.chart import GROUPING_CATEGORIES, STANDARD_TAX_CODES
from formats.saft.master_files import NAMESPACE
from o2c.errors import Fault


@lru_cache(maxsize=512)
def local_name(tag: str) -> str:
    """``{urn:...}Line`` -> ``Line``."""
    return tag.rpartition("}")[2]


class Findings:
    """The faults, at most ``limit``; the rest is counted."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._faults: list[Fault] = []
        self._more = 0

    def add(self, rule: str, place: str, message: str) -> None:
        if len(self._faults) < self._limit:
            self._faults.append(Fault(place, f"saft-{rule}", f"{place}: {message}"))
        else:
            self._more += 1

    def faults(self) -> tuple[Fault, ...]:
        more = f"{self._more} more findings are not listed."
        return (*self._faults, Fault("", "saft-more", more)) if self._more else tuple(self._faults)


def _text(minor: int) -> str:
    return str(Decimal(minor).scaleb(-2))


class Ledger:
    """Running balances per account and per customer and account."""

    def __init__(self, findings: Findings) -> None:
        self._find = findings.add
        self._account: dict[str, list[int]] = {}  # opening, closing, movement
        self._party: dict[tuple[str, str, str], list[int]] = {}
        self._moved: set[tuple[str, str]] = set()
        self._ids: Counter[tuple[str, str]] = Counter()
        self._tax_codes: set[str] = set()
        self._stated: dict[str, str] = {}
        self._seen = [0, 0, 0]
        self._selection: tuple[date, date] | None = None

    def add(self, element: etree._Element) -> None:
        name = local_name(element.tag)
        if name in ("NumberOfEntries", "TotalDebit", "TotalCredit"):
            parent = element.getparent()
            if parent is not None and local_name(parent.tag) == "GeneralLedgerEntries":
                self._stated[name] = element.text or ""
        elif name == "Header":
            self._add_header(element)
        elif name == "Account":
            self._add_account(element)
        elif name in ("Customer", "Supplier"):
            self._add_party(element, name)
        elif name == "TaxCodeDetails":
            self._add_tax_code(element)
        elif name == "Transaction":
            self._add_transaction(element)

    def _minor(self, text: str | None, place: str) -> int:
        try:
            minor = Decimal(text or "").scaleb(2)
            if minor == int(minor) >= 0 and "-" not in (text or ""):
                return int(minor)
        except (InvalidOperation, OverflowError, ValueError):
            pass
        self._find("F06", place, f"{text!r} is not a positive amount of two decimals.")
        return 0

    def _fields(self, element: etree._Element, place: str) -> dict[str, str]:
        """The first text of each child; an element without any content is a finding, however deep."""
        found: dict[str, str] = {}
        for child in element:
            name = local_name(child.tag)
            if len(child):
                self._fields(child, f"{place} {name}")
            elif not (child.text and child.text.strip()):
                self._find("F06", place, f"{name} is empty.")
            found.setdefault(name, child.text or "")
        return found

    def _add_header(self, element: etree._Element) -> None:
        if etree.QName(element).namespace != NAMESPACE:
            self._find("namespace", "Header", f"the namespace is not {NAMESPACE}.")
        self._fields(element, "Header")
        criteria = {
            local_name(each.tag): each.text or "" for each in element.iterfind("{*}SelectionCriteria/*")
        }
        if not criteria:
            self._find("F10", "Header", "SelectionCriteria are missing.")
        try:
            start = date.fromisoformat(criteria.get("SelectionStartDate", ""))
            end = date.fromisoformat(criteria.get("SelectionEndDate", ""))
        except ValueError:
            return
        self._selection = (start, end)
        if not start <= end or (end - start).days > 365:
            self._find("F10", "Header", f"the selection {start} to {end} is not within one accounting year.")

    def _once(self, kind: str, identity: str) -> None:
        self._ids[kind, identity] += 1
        if self._ids[kind, identity] == 2:
            self._find("F05", f"{kind} {identity}", "is in the file more than once.")

    def _balances(self, fields: dict[str, str], place: str) -> list[int]:
        out = []
        for side in ("Opening", "Closing"):
            debit, credit = fields.get(f"{side}DebitBalance"), fields.get(f"{side}CreditBalance")
            minor = self._minor(debit, place) if debit is not None else 0
            out.append(minor - self._minor(credit, place) if credit is not None else minor)
        return [*out, 0]

    def _add_account(self, element: etree._Element) -> None:
        fields = self._fields(element, "Account")
        identity = fields.get("AccountID", "")
        place = f"Account {identity}"
        self._once("Account", identity)
        self._account[identity] = self._balances(fields, place)
        category = fields.get("GroupingCategory")
        if category is not None and category not in GROUPING_CATEGORIES:
            self._find("F09", place, f"GroupingCategory {category!r} is not on the list.")

    def _add_party(self, element: etree._Element, kind: str) -> None:
        """1.30 has a balance per account; before, the party itself had one account and balance."""
        fields = self._fields(element, kind)
        identity = fields.get(f"{kind}ID", "")
        place = f"{kind} {identity}"
        self._once(kind, identity)
        accounts = [
            {local_name(field.tag): field.text or "" for field in each}
            for each in element.iterfind("{*}BalanceAccount")
        ]
        if not accounts and "AccountID" in fields:
            accounts = [fields]
        for each in accounts:
            account = each.get("AccountID", "")
            self._party[kind, identity, account] = self._balances(each, place)
            if account and account not in self._account:
                self._find("F05", place, f"account {account!r} is not in the file.")

    def _add_tax_code(self, element: etree._Element) -> None:
        fields = self._fields(element, "TaxCodeDetails")
        code = fields.get("TaxCode", "")
        self._once("TaxCode", code)
        self._tax_codes.add(code)
        standard = fields.get("StandardTaxCode")
        if standard is not None and standard.upper() not in STANDARD_TAX_CODES:
            self._find("F09", f"TaxCode {code}", f"StandardTaxCode {standard!r} is not on the list.")

    def _add_transaction(self, element: etree._Element) -> None:
        place = "Transaction"
        debit = credit = 0
        fields: dict[str, str] = {}
        for child in element:
            name = local_name(child.tag)
            if name != "Line":
                fields[name] = child.text or ""
                if not (child.text and child.text.strip()):
                    self._find("F06", f"Transaction {fields.get('TransactionID')}", f"{name} is empty.")
                continue
            place = f"Transaction {fields.get('TransactionID')}"
            sides = self._add_line(child, place)
            debit += sides[0]
            credit += sides[1]
        self._seen = [self._seen[0] + 1, self._seen[1] + debit, self._seen[2] + credit]
        if debit != credit:
            self._find("F02", place, f"debit {_text(debit)}, credit {_text(credit)}.")
        if "CustomerID" in fields or "SupplierID" in fields:
            self._find("F07", place, "CustomerID and SupplierID belong on the lines.")
        self._check_dates(fields, place)

    def _check_dates(self, fields: dict[str, str], place: str) -> None:
        posted = fields.get("GLPostingDate", "")
        if self._selection is None or len(posted) < 10:
            return
        start, end = self._selection
        if not start.isoformat() <= posted[:10] <= end.isoformat():
            self._find("F10", place, f"posted on {posted}, outside {start} to {end}.")

    def _add_line(self, element: etree._Element, place: str) -> tuple[int, int]:
        debit = credit = 0
        fields: dict[str, str] = {}
        for child in element:
            name = local_name(child.tag)
            if name == "DebitAmount" or name == "CreditAmount":
                value = self._minor(child[0].text if len(child) else None, place)
                debit, credit = (debit + value, credit) if name == "DebitAmount" else (debit, credit + value)
            elif name == "TaxInformation":
                self._check_tax(child, place)
            else:
                text = child.text or ""
                fields[name] = text
                if not len(child) and not text.strip():
                    self._find("F06", place, f"{name} is empty.")
        self._post(fields, debit - credit, f"{place} line {fields.get('RecordID')}")
        return debit, credit

    def _post(self, fields: dict[str, str], minor: int, place: str) -> None:
        account = fields.get("AccountID", "")
        if account in self._account:
            self._account[account][2] += minor
        else:
            self._find("F05", place, f"account {account!r} is not in the file.")
        parties = [kind for kind in ("Customer", "Supplier") if f"{kind}ID" in fields]
        if len(parties) == 2:
            self._find("F07", place, "names a customer and a supplier.")
        for kind in parties:
            self._post_party(kind, fields[f"{kind}ID"], account, minor, place)

    def _post_party(self, kind: str, identity: str, account: str, minor: int, place: str) -> None:
        self._moved.add((kind, identity))
        if (kind, identity) not in self._ids:
            self._find("F05", place, f"{kind.lower()} {identity!r} is not in the file.")
            return
        key = (kind, identity, account)
        if key in self._party:
            self._party[key][2] += minor
        elif (kind, identity, "") in self._party:
            self._party[kind, identity, ""][2] += minor
        else:
            self._find("F07", place, f"{kind.lower()} {identity} has no balance on account {account}.")

    def _check_tax(self, element: etree._Element, place: str) -> None:
        fields = self._fields(element, place)
        code = fields.get("TaxCode")
        if code is not None and code not in self._tax_codes:
            self._find("F05", place, f"tax code {code!r} is not in the file.")
        if code is not None and "TaxType" not in fields:
            self._find("F08", place, f"tax code {code} without TaxType.")
        if fields.get("TaxBase", "").startswith("-"):
            self._find("F06", place, "TaxBase is negative.")

    def close(self) -> None:
        self._check_totals()
        for identity, balances in self._account.items():
            self._check_roll("F03", f"Account {identity}", balances)
        for (kind, identity, account), balances in self._party.items():
            self._check_roll("F04", f"{kind} {identity} on {account}", balances)
            if not any(balances[:2]) and (kind, identity) not in self._moved:
                self._find("F11", f"{kind} {identity}", "has neither a movement nor a balance.")
        self._check_subledgers()

    def _check_totals(self) -> None:
        if not self._stated:
            return
        place = "GeneralLedgerEntries"
        for name, seen in zip(("NumberOfEntries", "TotalDebit", "TotalCredit"), self._seen, strict=True):
            written = str(seen) if name == "NumberOfEntries" else _text(seen)
            stated = self._stated.get(name, "").strip()
            same = stated == written if name == "NumberOfEntries" else self._minor(stated, place) == seen
            if not same:
                self._find("F01", place, f"{name} says {stated}, the content gives {written}.")

    def _check_roll(self, rule: str, place: str, balances: list[int]) -> None:
        opening, closing, movement = balances
        if opening + movement != closing:
            sums = f"opening {_text(opening)} + movement {_text(movement)} = {_text(opening + movement)}"
            self._find(rule, place, f"{sums}, closing says {_text(closing)}.")

    def _check_subledgers(self) -> None:
        """F03, second half: the parties of an account add up to it, unless both kinds share it."""
        sums: dict[str, list[int]] = {}
        for (_, _, account), (opening, closing, _) in self._party.items():
            total = sums.setdefault(account, [0, 0])
            total[0] += opening
            total[1] += closing
        for account, total in sums.items():
            if account in self._account and total != self._account[account][:2]:
                stated = self._account[account]
                message = f"its parties sum to {_text(total[0])} and {_text(total[1])}, the account to "
                self._find(
                    "F03", f"Account {account}", f"{message}{_text(stated[0])} and {_text(stated[1])}."
                )
