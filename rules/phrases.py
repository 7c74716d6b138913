"""Figures and conditions as a person says them, in English, German and Norwegian (bokmål).

Numbers are written as each language writes them (1,234.56; 1.234,56; 1 234,56 with a fixed blank)
and carry their unit. Every word is here or in the vocabulary; a file's own texts stay as written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from o2c.errors import Refused
from o2c.money import minor_digits
from rules.cells import Condition
from rules.document import unknown
from rules.spans import EVERYTHING, Span, negated
from rules.vocabulary import SCALE, WHOLE, Fact, Kind

LANGUAGES = ("en", "de", "nb")
_LOWEST, _HIGHEST = EVERYTHING[0]

# What stands between the figures; {} are filled in.
_PHRASES: Mapping[str, Mapping[str, str]] = {
    "en": {
        "or": " or ", "and": " and ", "day": "day", "days": "days",
        "more": "more than {}", "least": "at least {}", "less": "less than {}", "most": "at most {}",
        "exactly": "exactly {}", "as": "the same as {}", "except": "anything but {}",
        "is": "{}: {}",
        "fits": "{}: {} (the rule wants {})", "fails": "{}: {}; the rule wants {}",
        "compared": "{}: {}, {}: {} (the rule wants {})",
        "uncompared": "{}: {}, {}: {}; the rule wants {}",
        "derives": "{}: {}, because {}", "earlier": "row {} of the table came first",
        "by rule": "{}: {} by rule {}.", "by nothing": "{}: {}, because no rule applied.",
        "by person": "{}: {} by {}.",
        "by alarm": "{}: {}, because the rules could not be run.",
        "said": "The rules had said: {} by rule {}",
        "said nothing": "The rules had said: {}, because no rule applied",
        "always": "This rule always applies", "none": "No rule of the file applies to these figures",
        "also": "Also applied, and less strict or later in the file: {}",
        "alarm": "What went wrong: {}",
        "because": "Why", "others": "Why not another rule", "facts": "The figures",
    },
    "de": {
        "or": " oder ", "and": " und ", "day": "Tag", "days": "Tage",
        "more": "mehr als {}", "least": "mindestens {}", "less": "weniger als {}", "most": "höchstens {}",
        "exactly": "genau {}", "as": "gleich viel wie {}", "except": "alles außer {}",
        "is": "{}: {}",
        "fits": "{}: {} (die Regel verlangt {})", "fails": "{}: {}; die Regel verlangt {}",
        "compared": "{}: {}, {}: {} (die Regel verlangt {})",
        "uncompared": "{}: {}, {}: {}; die Regel verlangt {}",
        "derives": "{}: {}, denn {}", "earlier": "Zeile {} der Tabelle kam zuerst",
        "by rule": "{}: {} nach Regel {}.", "by nothing": "{}: {}, weil keine Regel zutraf.",
        "by person": "{}: {} durch {}.",
        "by alarm": "{}: {}, weil die Regeln nicht ausgeführt werden konnten.",
        "said": "Die Regeln ergaben: {} nach Regel {}",
        "said nothing": "Die Regeln ergaben: {}, weil keine Regel zutraf",
        "always": "Diese Regel gilt immer", "none": "Keine Regel der Datei trifft auf diese Angaben zu",
        "also": "Traf auch zu, ist aber weniger streng oder steht weiter unten: {}",
        "alarm": "Was misslang: {}",
        "because": "Warum", "others": "Warum keine andere Regel", "facts": "Die Angaben",
    },
    "nb": {
        "or": " eller ", "and": " og ", "day": "dag", "days": "dager",
        "more": "mer enn {}", "least": "minst {}", "less": "mindre enn {}", "most": "høyst {}",
        "exactly": "nøyaktig {}", "as": "like mye som {}", "except": "alt unntatt {}",
        "is": "{}: {}",
        "fits": "{}: {} (regelen krever {})", "fails": "{}: {}; regelen krever {}",
        "compared": "{}: {}, {}: {} (regelen krever {})",
        "uncompared": "{}: {}, {}: {}; regelen krever {}",
        "derives": "{}: {}, fordi {}", "earlier": "rad {} i tabellen kom først",
        "by rule": "{}: {} etter regel {}.", "by nothing": "{}: {}, fordi ingen regel slo til.",
        "by person": "{}: {} av {}.",
        "by alarm": "{}: {}, fordi reglene ikke kunne kjøres.",
        "said": "Reglene sa: {} etter regel {}",
        "said nothing": "Reglene sa: {}, fordi ingen regel slo til",
        "always": "Denne regelen gjelder alltid", "none": "Ingen regel i filen gjelder for disse tallene",
        "also": "Slo også til, men er mindre streng eller står lenger ned: {}",
        "alarm": "Hva som gikk galt: {}",
        "because": "Hvorfor", "others": "Hvorfor ikke en annen regel", "facts": "Tallene",
    },
}  # fmt: skip
_MARKS = {"en": (",", "."), "de": (".", ","), "nb": ("\N{NO-BREAK SPACE}", ",")}  # thousands, decimals


@dataclass(frozen=True, slots=True)
class Phrases:
    """One language, and the ``currency`` of amounts (None: they are shown without)."""

    language: str
    currency: str | None = None

    def __post_init__(self) -> None:
        if self.language not in LANGUAGES:
            raise Refused("language", unknown(self.language, "language", LANGUAGES))

    def say(self, phrase: str, *words: str) -> str:
        """A phrase with its gaps filled."""
        return _PHRASES[self.language][phrase].format(*words)

    def sentence(self, phrase: str, *words: str) -> str:
        """The same with a capital letter."""
        return capital(self.say(phrase, *words))

    def joined(self, phrase: str, words: list[str]) -> str:
        """Words joined by ``and`` or ``or``."""
        return self.say(phrase).join(words)

    def label(self, fact: Fact) -> str:
        """What a fact is called."""
        return fact.labels[self.language]

    def value(self, fact: Fact, code: int) -> str:
        """A figure with its unit: ``3 days``, ``105 %``, ``1,200.00 EUR``, ``yes``."""
        if fact.words:
            return fact.word_labels(fact.every_word[code])[self.language]
        number = self._number(code, SCALE[fact.kind], self._digits(fact))
        if fact.kind is Kind.DAYS:
            return f"{number} {self.say('day' if abs(code) == 1 else 'days')}"
        if fact.kind is Kind.PERCENT:
            return f"{number} %"
        return f"{number} {self.currency}" if fact.kind is Kind.MONEY and self.currency else number

    def _digits(self, fact: Fact) -> int:
        if fact.kind is not Kind.MONEY:
            return 0
        return minor_digits(self.currency) if self.currency else 2

    def _number(self, code: int, scale: int, digits: int) -> str:
        whole, part = divmod(abs(code), 10**scale)
        decimals = (f"{part:0{scale}d}".rstrip("0") if scale else "").ljust(digits, "0")
        thousands, mark = _MARKS[self.language]
        # Days are counted, not summed: 9999 stands in the labels as it is.
        grouped = f"{whole:,}".replace(",", thousands) if scale else str(whole)
        return f"{'-' if code < 0 else ''}{grouped}{mark if decimals else ''}{decimals}"

    # --- conditions ------------------------------------------------------------------------------
    def told(
        self, facts: Mapping[str, Fact], condition: Condition, codes: Mapping[str, int], *, holds: bool
    ) -> str:
        """A condition beside the figures of the case."""
        if condition.minus is not None:
            return self._compared(facts, condition, codes, holds=holds)
        one = facts[condition.field]
        shown = self.value(one, codes[condition.field])
        wanted = self.wanted(one, condition)
        if holds and wanted == shown:
            return self.say("is", self.label(one), shown)
        return self.say("fits" if holds else "fails", self.label(one), shown, wanted)

    def _compared(
        self, facts: Mapping[str, Fact], condition: Condition, codes: Mapping[str, int], *, holds: bool
    ) -> str:
        """Two facts beside each other, the one first that the file names first."""
        names, spans = [condition.field, condition.minus or ""], condition.spans
        if condition.text.startswith(f"{condition.minus} "):
            names, spans = names[::-1], negated(spans)
        one, two = (facts[name] for name in names)
        shown = [self.value(facts[name], codes[name]) for name in names]
        wanted = self.joined("or", [self._apart(two, span) for span in spans])
        phrase = "compared" if holds else "uncompared"
        return self.say(phrase, self.label(one), shown[0], self.label(two), shown[1], wanted)

    def wanted(self, fact: Fact, condition: Condition) -> str:
        """What a condition asks for: ``more than 14 days``, ``A or B``."""
        if fact.words:
            every = range(len(fact.every_word))
            wanted = [code for code in every if any(low <= code <= high for low, high in condition.spans)]
            others = [code for code in every if code not in wanted]
            if len(others) < len(wanted) and condition.text.startswith(f"{fact.name} not "):
                return self.say("except", self._either(fact, others))
            return self._either(fact, wanted)
        return self.joined("or", [self._within(fact, span, condition.text) for span in condition.spans])

    def _either(self, fact: Fact, codes: list[int]) -> str:
        return self.joined("or", [self.value(fact, code) for code in codes])

    def _within(self, fact: Fact, span: Span, text: str) -> str:
        low, high = span
        if low == high:
            return self.say("exactly", self.value(fact, low))
        parts = []
        if low > _LOWEST:
            more = _as_written(fact, low - 1, low, text)
            parts.append(self.say("more" if more else "least", self.value(fact, low - 1 if more else low)))
        if high < _HIGHEST:
            less = _as_written(fact, high + 1, high, text)
            parts.append(self.say("less" if less else "most", self.value(fact, high + 1 if less else high)))
        return self.joined("and", parts)

    def _apart(self, other: Fact, span: Span) -> str:
        """What a difference asks for: ``(..., 0)`` is ``at most`` the other fact."""
        low, high = span
        words = {(_LOWEST, 0): "most", (_LOWEST, -1): "less", (0, _HIGHEST): "least", (1, _HIGHEST): "more"}
        return self.say(words.get((low, high), "as"), self.label(other))


def _as_written(fact: Fact, open_end: int, closed_end: int, text: str) -> bool:
    """Whether a person wrote the open end: ``> 14`` and ``>= 15`` are one to the engine."""
    if fact.kind in WHOLE:
        written = re.findall("-?[0-9]+", text)
        return str(open_end) in written and str(closed_end) not in written
    return _noughts(open_end) > _noughts(closed_end)


def _noughts(code: int) -> int:
    return len(str(code)) - len(str(code).rstrip("0")) if code else 99


def capital(text: str) -> str:
    """The text with its first letter large."""
    return text[:1].upper() + text[1:]
