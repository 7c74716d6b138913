"""The words of reminders and notices, in English, German and Norwegian: the one place they stand.

A letter says what is asked for, line by line and in total, how to pay, what comes next and what that
costs. It asks for nothing else: what is in dispute is named as such and not in the total.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from o2c.dunning import Letter, Receivable
from o2c.late_charge import ChargeKind, LateCharge, outstanding, standing
from o2c.money import Money

_LANGUAGES = {"en": "en", "de": "de", "nb": "nb", "nn": "nb", "no": "nb"}
_KINDS = (ChargeKind.INTEREST, ChargeKind.FEE, ChargeKind.LUMP_SUM)

_WORDS: dict[str, dict[str, str]] = {
    "en": {
        "greeting": "Dear {name},",
        "closing": "Kind regards",
        "friendly": "A friendly reminder",
        "subject": "Overdue invoices: {letter}",
        "soon": "these invoices fall due soon:",
        "overdue": "these invoices are overdue. Please pay them now:",
        "item": "- {number}: {amount}, due {due}{late}, reference {reference}",
        "late": ", {days} days overdue",
        "late one": ", 1 day overdue",
        "withheld": "    {amount} of it is in dispute and not asked for here",
        "interest": "    late payment interest until {day}: {amount}",
        "fee": "    reminder fee: {amount}",
        "lump_sum": "    lump sum for recovery costs: {amount}",
        "total": "Total: {amount}",
        "account": (
            "Please pay to account {account} and give the reference, so that we know what it is for."
        ),
        "next L0": "If you have paid already, there is nothing more to do.",
        "next L1": (
            "If they stay unpaid, a second notice follows, and from then on reminder fees and late "
            "payment interest are charged as far as the law allows."
        ),
        "next L2": (
            "If they stay unpaid, a final notice follows. Late payment interest goes on until the day"
            " you pay."
        ),
        "next L3": (
            "This is our final notice. If they stay unpaid{until}, we hand them over to a debt "
            "collector, whose costs come on top."
        ),
        "next collection": (
            "You have not answered our notices. We now hand these invoices over to a debt collector, "
            "whose costs come on top."
        ),
        "until": " until {day}",
        "held": "New orders wait until they are settled. If you have paid already, please tell us when.",
    },
    "de": {
        "greeting": "Guten Tag {name},",
        "closing": "Mit freundlichen Grüßen",
        "friendly": "Eine freundliche Erinnerung",
        "subject": "Überfällige Rechnungen: {letter}",
        "soon": "diese Rechnungen werden bald fällig:",
        "overdue": "diese Rechnungen sind überfällig. Bitte bezahlen Sie sie jetzt:",
        "item": "- {number}: {amount}, fällig am {due}{late}, Verwendungszweck {reference}",
        "late": ", {days} Tage überfällig",
        "late one": ", 1 Tag überfällig",
        "withheld": "    davon {amount} reklamiert und hier nicht gefordert",
        "interest": "    Verzugszinsen bis {day}: {amount}",
        "fee": "    Mahngebühr: {amount}",
        "lump_sum": "    Verzugspauschale: {amount}",
        "total": "Summe: {amount}",
        "account": (
            "Bitte zahlen Sie auf das Konto {account} und geben Sie den Verwendungszweck an, damit "
            "wir Ihre Zahlung zuordnen können."
        ),
        "next L0": "Haben Sie schon bezahlt, so ist nichts weiter zu tun.",
        "next L1": (
            "Bleiben sie unbezahlt, so folgt eine zweite Mahnung; von da an berechnen wir "
            "Mahngebühren und Verzugszinsen, soweit das Gesetz es zulässt."
        ),
        "next L2": (
            "Bleiben sie unbezahlt, so folgt eine letzte Mahnung. Verzugszinsen laufen weiter bis zum"
            " Tag Ihrer Zahlung."
        ),
        "next L3": (
            "Dies ist unsere letzte Mahnung. Bleiben sie{until} unbezahlt, so übergeben wir sie an "
            "ein Inkassounternehmen, dessen Kosten hinzukommen."
        ),
        "next collection": (
            "Auf unsere Mahnungen haben Sie nicht geantwortet. Wir übergeben diese Rechnungen nun an "
            "ein Inkassounternehmen, dessen Kosten hinzukommen."
        ),
        "until": " bis {day}",
        "held": (
            "Neue Bestellungen warten, bis sie beglichen sind. Haben Sie schon bezahlt, so sagen Sie "
            "uns bitte, wann."
        ),
    },
    "nb": {
        "greeting": "Hei {name},",
        "closing": "Med vennlig hilsen",
        "friendly": "En vennlig påminnelse",
        "subject": "Forfalte fakturaer: {letter}",
        "soon": "disse fakturaene forfaller snart:",
        "overdue": "disse fakturaene er forfalt. Vennligst betal dem nå:",
        "item": "- {number}: {amount}, forfall {due}{late}, referanse {reference}",
        "late": ", {days} dager over forfall",
        "late one": ", 1 dag over forfall",
        "withheld": "    av dette er {amount} bestridt og kreves ikke her",
        "interest": "    forsinkelsesrente til {day}: {amount}",
        "fee": "    purregebyr: {amount}",
        "lump_sum": "    standardkompensasjon for inndrivelse: {amount}",
        "total": "Sum: {amount}",
        "account": (
            "Vennligst betal til konto {account} og oppgi referansen, så vi vet hva betalingen gjelder."
        ),
        "next L0": "Har du allerede betalt, trenger du ikke gjøre noe mer.",
        "next L1": (
            "Blir de ikke betalt, følger en andre purring; fra da av krever vi purregebyr og "
            "forsinkelsesrente så langt loven tillater."
        ),
        "next L2": (
            "Blir de ikke betalt, følger en siste purring. Forsinkelsesrenten løper til den dagen du betaler."
        ),
        "next L3": (
            "Dette er vår siste purring. Er de ikke betalt{until}, overlater vi dem til inkasso, og "
            "kostnadene kommer i tillegg."
        ),
        "next collection": (
            "Du har ikke svart på våre purringer. Vi overlater nå disse fakturaene til inkasso, og "
            "kostnadene kommer i tillegg."
        ),
        "until": " innen {day}",
        "held": "Nye ordrer venter til de er gjort opp. Har du allerede betalt, ber vi deg si når.",
    },
}
_LETTERS: dict[str, dict[str, str]] = {
    "de": {
        "payment reminder": "Zahlungserinnerung",
        "friendly reminder": "freundliche Erinnerung",
        "first notice": "erste Mahnung",
        "second notice": "zweite Mahnung",
        "final notice": "letzte Mahnung",
        "hand over": "Übergabe an das Inkasso",
    },
    "nb": {
        "payment reminder": "betalingspåminnelse",
        "friendly reminder": "vennlig påminnelse",
        "first notice": "første purring",
        "second notice": "andre purring",
        "final notice": "siste purring",
        "hand over": "overføring til inkasso",
    },
}


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a letter says beside its items: from whom, to whom, when, where to pay, and until when
    before a collector is called in."""

    seller: str
    recipient: str
    today: date
    account: str | None = None
    pay_by: date | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """A letter ready to go."""

    subject: str
    body: str


def language_of(wanted: str) -> str:
    """The language of a letter: what the customer reads, else English."""
    return _LANGUAGES.get(wanted[:2].lower(), "en")


def write(
    letter: Letter, charges: Mapping[str, Sequence[LateCharge]], language: str, about: Circumstances
) -> Written:
    """The words of one letter. ``charges`` are the late charges of each invoice, all that there are."""
    speech = _Speech(language_of(language))
    friendly = letter.level == "L0"
    name = _LETTERS.get(speech.language, {}).get(letter.letter, letter.letter)
    lines = [speech("greeting", name=about.recipient), "", speech("soon" if friendly else "overdue")]
    for receivable in letter.listed:
        lines += _item(speech, receivable, charges.get(receivable.item.invoice_number, ()), about.today)
    lines += [speech("total", amount=speech.amount(total)) for total in totals(letter, charges)]
    if about.account:
        lines += ["", speech("account", account=about.account)]
    until = speech("until", day=speech.day(about.pay_by)) if about.pay_by else ""
    lines += ["", speech(f"next {letter.level}", until=until)]
    if not friendly:
        lines.append(speech("held"))
    lines += ["", speech("closing"), about.seller]
    return Written(speech("friendly") if friendly else speech("subject", letter=name), "\n".join(lines))


def totals(letter: Letter, charges: Mapping[str, Sequence[LateCharge]]) -> list[Money]:
    """What the letter asks for, one sum for each currency."""
    sums: dict[str, int] = {}
    for item in letter.items:
        asked = item.open + outstanding(charges.get(item.invoice_number, ()))
        sums[item.currency] = sums.get(item.currency, 0) + asked
    return [Money.from_minor(minor, currency) for currency, minor in sums.items()]


@dataclass(frozen=True, slots=True)
class _Speech:
    """One language: its words, its days, its amounts."""

    language: str

    def __call__(self, key: str, /, **told: object) -> str:
        return _WORDS[self.language][key].format(**told)

    def day(self, day: date) -> str:
        return str(day) if self.language == "en" else f"{day:%d.%m.%Y}"

    def amount(self, money: Money) -> str:
        text = str(money)
        if self.language == "en":
            return text
        number, _, currency = text.partition(" ")
        whole, point, decimals = number.partition(".")
        grouped = f"{int(whole):,}".replace(",", "." if self.language == "de" else " ")
        return f"{grouped}{',' if point else ''}{decimals} {currency}"


def _item(
    speech: _Speech, receivable: Receivable, charges: Sequence[LateCharge], today: date
) -> Iterator[str]:
    item = receivable.item
    days = (today - item.due_on).days
    late = "" if days <= 0 else speech("late one") if days == 1 else speech("late", days=days)
    yield speech(
        "item",
        number=item.invoice_number,
        amount=speech.amount(Money.from_minor(item.open, item.currency)),
        due=speech.day(item.due_on),
        late=late,
        reference=item.reference,
    )
    if receivable.withheld:
        yield speech("withheld", amount=speech.amount(Money.from_minor(receivable.withheld, item.currency)))
    claimed = standing(charges)
    for kind in _KINDS:
        mine = [one for one in claimed if one.kind is kind]
        if mine:
            total = Money.from_minor(sum(one.amount.minor for one in mine), item.currency)
            day = max(one.charged_on for one in mine)
            yield speech(kind, amount=speech.amount(total), day=speech.day(day))
