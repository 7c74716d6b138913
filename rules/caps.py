"""Fees and interest of a dunning file against what the law allows, by country.

A fee or a rate in figures must not be above the cap of any country its row can match. Where the law is
not known nothing is said here: the charge itself is worked out, and held back, on the day it is due.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from o2c.law import EU, CountryLaw, LateRate, Law, ReminderFee, newest
from o2c.money import Money, plain
from rules.compile import Clause
from rules.document import Faults
from rules.vocabulary import Fact

FEE, RATE = "dunning_fee", "late_interest"


@dataclass(frozen=True, slots=True)
class Caps:
    """The law to hold a file against, as of the day ``on`` (None: the newest figures)."""

    law: Law
    on: date | None
    currency: str | None
    facts: Mapping[str, Fact]
    places: Mapping[tuple[str, str], str]
    faults: Faults

    def check(self, clause: Clause) -> None:
        """Notes a fee or rate that is above a cap, or a fee in no currency."""
        fee, rate = clause.actions.get(FEE, ""), clause.actions.get(RATE, "")
        if fee[:1].isdigit():
            self._check_fee(clause, fee)
        if rate.endswith("%"):
            self._check_rate(clause, rate)

    def _check_fee(self, clause: Clause, text: str) -> None:
        amount, _, currency = text.partition(" ")
        currency = currency or self.currency or ""
        place = self.places[clause.id, FEE]
        if not currency:
            words = (
                f"{FEE} {text} has no currency; write one such as '{text} NOK', or 'currency:' at the top."
            )
            self.faults.judge(place, "wrong-unit", words)
            return
        caps = [(law, cap) for law in self._countries(clause) if (cap := self._fee_cap(law))]
        broken = [
            (law, cap)
            for law, cap in caps
            if cap.cap.currency == currency and Decimal(amount) > cap.cap.amount
        ]
        if broken:
            law, cap = min(broken, key=lambda pair: pair[1].cap.amount)
            words = f"{FEE} {Money(Decimal(amount), currency)} is above the {cap.cap} that the law of"
            self._above(place, words, law, cap, f"{cap.cap.amount}")

    def _check_rate(self, clause: Clause, text: str) -> None:
        percent = Decimal(text.rstrip("% "))
        caps = [(law, cap) for law in self._countries(clause) for cap in self._rate_caps(law, clause)]
        broken = [(law, cap) for law, cap in caps if percent > cap.percent]
        if broken:
            law, cap = min(broken, key=lambda pair: pair[1].percent)
            whom = "consumers" if cap.consumer else "businesses"
            words = (
                f"{RATE} {plain(percent)} % is above the {plain(cap.percent)} % for {whom} that the law of"
            )
            self._above(self.places[clause.id, RATE], words, law, cap, f"{plain(cap.percent)} %")

    def _above(
        self, place: str, start: str, law: CountryLaw, cap: ReminderFee | LateRate, least: str
    ) -> None:
        since, source = cap.validity.valid_from, cap.validity.source
        hint = f"write 'legal max' or at most {least}, or part the row by country"
        words = f"{start} {law.country} allows since {since} ({source}); {hint}."
        self.faults.judge(place, "above-legal-cap", words)

    def _countries(self, clause: Clause) -> Iterator[CountryLaw]:
        """The laws that could apply: those of the countries the clause can match."""
        codes = self._words(clause, "country")
        if codes is None:
            yield from (law for code, law in self.law.countries.items() if code != EU)
        else:
            found = (self.law.of(code) for code in codes)
            yield from {law.country: law for law in found if law}.values()

    def _words(self, clause: Clause, name: str) -> list[str] | None:
        """The words of a fact that the clause can match; None where it does not look at it."""
        for condition in clause.conditions:
            if condition.key == name:
                words = self.facts[name].every_word
                return [word for at, word in enumerate(words) if _holds(condition.spans, at)]
        return None

    def _fee_cap(self, law: CountryLaw) -> ReminderFee | None:
        return law.fee_on(self.on) if self.on else newest(law.fees)

    def _rate_caps(self, law: CountryLaw, clause: Clause) -> Iterator[LateRate]:
        whom = self._words(clause, "consumer") or ["no", "yes"]
        for consumer in (word == "yes" for word in whom):
            mine = [rate for rate in law.rates if rate.consumer is consumer]
            rate = law.rate_on(self.on, consumer=consumer) if self.on else newest(mine)
            if rate:
                yield rate


def _holds(spans: tuple[tuple[int, int], ...], code: int) -> bool:
    return any(low <= code <= high for low, high in spans)
