"""Numbers of items in what a payment says, found by the masks of the series and nothing else.

How sure a number is, is its ``Form``: a number in a text is never more than a claim until an amount or a
payer agrees.
"""

from __future__ import annotations

import re
from enum import IntEnum
from typing import NamedTuple

from o2c.matching.numbers import clean, invoice_numbers
from o2c.matching.shapes import Series, Shapes, lookalike, squeezed
from o2c.reference import is_rf, normal
from o2c.statement import TransactionDetails

_KEPT = re.compile(r"[\s,;&+/|]*(?:UND|AND|OG|U\.|ET|SOWIE)?[\s,;&+/|]*(\d+)(?![\d]*[.,/-]?\d|[^\W_]|\s*%)")
_UP_TO = re.compile(r"\s*(?:-|–|BIS|TO|TIL|\.\.\.?)\s*(?:BIS)?\s*(\d+)(?![\d]|[^\W_]|[.,]\d|\s*%)")
_INNER_BLANK = re.compile(r"\d\s+\d")
_DAY, _MONTH, _YEAR = r"(?:0[1-9]|[12]\d|3[01])", r"(?:0[1-9]|1[0-2])", r"(?:19|20)\d\d"
_SHORT_DATE = re.compile(f"{_DAY}{_MONTH}2\\d")
_DATE_LIKE = re.compile(f"{_YEAR}{_MONTH}{_DAY}|{_DAY}{_MONTH}{_YEAR}")
_FEWEST_SURE = 6  # digits alone: fewer may be anything
_LONGEST_RANGE = 20
_LONGEST_LIST = 60


class Form(IntEnum):
    """How a number was written, the surest first."""

    WHOLE = 0  # the mask of the series, in one line of text
    GLUED = 1  # blanks inside its digits, or found only where lines are joined
    PADDED = 2  # zeros left out, or a letter read as a digit
    LISTED = 3  # the tail of a list: INV-17, 18, 19
    RANGE = 4  # between the ends of what may be a range: INV-17-19
    DOUBTFUL = 5  # digits that may be a date, or part of a longer run that the bank cut


class Found(NamedTuple):
    """One number a payment names: as it is compared, its form, the field, and as it was written."""

    number: str
    form: Form
    field: str
    raw: str


def numbers_in(payment: TransactionDetails, text: str, whole: str, shapes: Shapes) -> tuple[Found, ...]:
    """Every number a payment names; ``text`` and ``whole`` are its two texts in upper case."""
    found: dict[str, Found] = {}
    for document in payment.documents:
        _add(found, Found(squeezed(document.number), Form.WHOLE, "document", document.number))
    for reference in payment.references:
        _in_reference(found, reference, shapes)
    if text:
        _in_line(found, text, "text", shapes)
        if whole and whole != text:
            _in_joined(found, whole, shapes)
    if (end_to_end := payment.end_to_end_id) and end_to_end != "NOTPROVIDED":
        _in_end_to_end(found, end_to_end.upper(), shapes)
    return tuple(found.values())


def _add(found: dict[str, Found], one: Found) -> None:
    known = found.get(one.number)
    if known is None or one.form < known.form:
        found[one.number] = one


def _in_reference(found: dict[str, Found], reference: str, shapes: Shapes) -> None:
    """A number given as a reference, or as the body of an RF reference."""
    upper = reference.upper()
    if upper.startswith("RF") and is_rf(upper):
        body = normal(upper)[4:]
        _add(found, Found(body, Form.WHOLE, "reference", reference))
        return
    key = squeezed(upper)
    if len(key) < 20 and not key.isdigit():
        before = len(found)
        _in_line(found, upper, "reference", shapes)
        if len(found) == before:
            _add(found, Found(key, Form.WHOLE, "reference", reference))


def _in_line(found: dict[str, Found], text: str, field: str, shapes: Shapes) -> None:
    before = len(found)
    spans: list[tuple[int, int]] = []
    if shapes.strict is not None:
        for hit in shapes.strict.finditer(text):
            blank = " " in hit[0] and _INNER_BLANK.search(hit[0]) and _blank_in_run(hit[0], shapes)
            form = Form.GLUED if blank else Form.WHOLE
            number = squeezed(hit[0])
            _add(found, Found(number, form, field, hit[0]))
            if hit.end() < len(text):
                _tail(found, text, hit.end(), number, field, shapes)
            spans.append(hit.span())
    if shapes.plain is not None:
        _plain_digits(found, text, field, shapes)
    if shapes.loose is not None and (len(found) == before or spans):
        _loosely(found, text, field, shapes, spans)
    if len(found) == before and shapes.folded is not None:
        for hit in shapes.folded.finditer(lookalike(text)):
            raw = text[hit.start() : hit.end()]
            if (unfolded := _unfolded(hit[0], shapes)) is not None:
                _add(found, Found(unfolded, Form.PADDED, field, raw))
    if len(found) == before and shapes.tails is not None:
        _tails(found, text, field, shapes, shapes.tails)


def _plain_digits(found: dict[str, Found], text: str, field: str, shapes: Shapes) -> None:
    """Numbers of series that have no letters: sure behind a word for invoice, or long and no date."""
    hits = _plain_hits(text, shapes)
    if not hits:
        return
    said, clear = invoice_numbers(text), clean(text)
    for raw in hits:
        key = squeezed(raw)
        if _DATE_LIKE.fullmatch(raw) or _SHORT_DATE.fullmatch(raw):
            is_said = key.lstrip("0") in said
            _add(found, Found(key, Form.GLUED if is_said else Form.DOUBTFUL, field, raw))
        elif raw in clear:
            sure = key.lstrip("0") in said or len(key) >= _FEWEST_SURE
            _add(found, Found(key, Form.WHOLE if sure else Form.GLUED, field, raw))


def _plain_hits(text: str, shapes: Shapes) -> list[str]:
    """With the signs of the mask first, so that a customer number does not join the year behind it."""
    if shapes.plain is None:
        return []
    if shapes.written is None:
        return [hit[0] for hit in shapes.plain.finditer(text)]
    as_written = [hit[0] for hit in shapes.written.finditer(text)]
    rest = shapes.written.sub(" ; ", text) if as_written else text
    return as_written + [hit[0] for hit in shapes.plain.finditer(rest)]


def _tails(found: dict[str, Found], text: str, field: str, shapes: Shapes, tails: re.Pattern[str]) -> None:
    """Numbers whose letters were left out: every series that has so many digits is meant, perhaps."""
    for hit in tails.finditer(text):
        digits = squeezed(hit[0])
        if not _DATE_LIKE.fullmatch(digits):
            for lead in shapes.leads_of["#" * len(digits)]:
                _add(found, Found(lead + digits, Form.PADDED, field, hit[0]))


def _in_end_to_end(found: dict[str, Found], text: str, shapes: Shapes) -> None:
    """The payer's own id: a number where nothing else names one, else no more than a hint."""
    said: dict[str, Found] = {}
    _in_line(said, text, "end-to-end id", shapes)
    for one in said.values():
        form = max(one.form, Form.GLUED) if found else one.form
        _add(found, Found(one.number, form, one.field, one.raw))


def _in_joined(found: dict[str, Found], whole: str, shapes: Shapes) -> None:
    """The lines joined with nothing: a number cut by the bank, even behind a word it grew on to."""
    if shapes.plain is not None:
        _plain_joined(found, whole, shapes)
    for hit in shapes.glued.finditer(whole) if shapes.glued is not None else ():
        number = squeezed(hit[0])
        if number not in found:
            _grown(found, number)
            _add(found, Found(number, Form.GLUED, "text", hit[0]))


def _plain_joined(found: dict[str, Found], whole: str, shapes: Shapes) -> None:
    """Runs that the bank cut become whole, and what was a piece of a longer run is told to be one."""
    for one in list(found.values()):
        if one.field == "text" and one.number.isdigit() and _is_piece(one.raw, whole):
            found[one.number] = Found(one.number, Form.DOUBTFUL, one.field, one.raw)
    clear = clean(whole)
    for raw in _plain_hits(whole, shapes):
        if (number := squeezed(raw)) not in found:
            is_date = _DATE_LIKE.fullmatch(raw) or _SHORT_DATE.fullmatch(raw)
            if is_date or raw in clear:
                _add(found, Found(number, Form.DOUBTFUL if is_date else Form.GLUED, "text", raw))


def _is_piece(raw: str, whole: str) -> bool:
    at = whole.find(raw)
    end = at + len(raw)
    return at >= 0 and (whole[at - 1 : at].isdigit() or whole[end : end + 1].isdigit())


def _grown(found: dict[str, Found], number: str) -> None:
    """What is found in one line may be the beginning of a number that the bank cut: no longer sure."""
    for one in list(found.values()):
        if one.form is Form.WHOLE and one.field == "text" and number.startswith(one.number):
            found[one.number] = Found(one.number, Form.GLUED, one.field, one.raw)


def _blank_in_run(raw: str, shapes: Shapes) -> bool:
    """Whether a blank stands inside a run of digits, not where the mask has its own gaps."""
    groups = [len(group) for group in re.findall(r"\d+", raw)]
    masks = [[len(p) for p in one.pieces if p[0] == "#"] for one in shapes.series]
    return groups not in masks and len(groups) > 1


def _tail(found: dict[str, Found], text: str, at: int, first: str, field: str, shapes: Shapes) -> None:
    """``INV-00017, 18, 19`` and ``INV-00017-00019``: what follows a number without its prefix."""
    follows = _UP_TO.match(text, at) or _KEPT.match(text, at)
    series = _series_of(first, shapes) if follows else None
    if series is None:
        return
    lead, last = first[: len(first) - series.last], int(first[-series.last :])
    if (hit := _UP_TO.match(text, at)) and len(hit[1]) <= series.last:
        _range(found, lead, series.last, last, _completed(first, hit[1], series.last), field, hit[0])
        at = hit.end()
    for _ in range(_LONGEST_LIST):
        hit = _KEPT.match(text, at)
        if hit is None or len(hit[1]) > series.last:
            return
        number = lead + _completed(first, hit[1], series.last)
        _add(found, Found(number, Form.LISTED, field, hit[1]))
        if len(hit[1]) < series.last and hit[1][0] != "0":  # 18 may also stand for 00018, not for 00118
            _add(found, Found(lead + hit[1].zfill(series.last), Form.LISTED, field, hit[1]))
        at = hit.end()


def _completed(first: str, digits: str, width: int) -> str:
    return first[-width:][: width - len(digits)] + digits


def _range(
    found: dict[str, Found], lead: str, width: int, start: int, end: str, field: str, raw: str
) -> None:
    if int(end) <= start:
        return
    _add(found, Found(lead + end, Form.LISTED, field, raw))
    if int(end) <= start + _LONGEST_RANGE:
        for between in range(start + 1, int(end)):
            _add(found, Found(f"{lead}{between:0{width}d}", Form.RANGE, field, raw))


def _series_of(number: str, shapes: Shapes) -> Series | None:
    for one in shapes.series:
        if len(number) == sum(map(len, one.pieces)) and one.pieces[-1][0] == "#" and _fits(number, one):
            return one
    return None


def _fits(number: str, series: Series) -> bool:
    at = 0
    for piece in series.pieces:
        part = number[at : at + len(piece)]
        if not part.isdigit() if piece[0] == "#" else part != piece:
            return False
        at += len(piece)
    return True


def _loosely(
    found: dict[str, Found], text: str, field: str, shapes: Shapes, spans: list[tuple[int, int]]
) -> None:
    """A prefix of ours and some digits: zeros left out are put back; too many or few stay as written."""
    assert shapes.loose is not None
    for hit in shapes.loose.finditer(text):
        if any(begin <= hit.start() < end for begin, end in spans):
            continue
        raw = squeezed(hit[0])
        if found and any(raw.startswith(number) or number.startswith(raw) for number in found):
            continue
        lead = next((lead for lead in shapes.by_lead if raw.startswith(lead)), "")
        run, series = hit[hit.lastindex or 0], shapes.by_lead.get(lead, ())
        if len(lead) == 1 and text[hit.end() : hit.end() + 1].isalnum():
            continue
        filled = [(one, number) for one in series if (number := _padded(run, lead, one)) is not None]
        for one, number in filled:  # a series that has outgrown its width has two
            _add(found, Found(number, Form.PADDED, field, _as_written(run, lead, one)))
        for one in () if filled or len(lead) == 1 else series:  # one letter is too little
            raw = _as_written(run, lead, one)
            if sum(map(str.isdigit, raw)) >= 3:
                _add(found, Found(raw, Form.PADDED, field, raw))


def _as_written(run: str, lead: str, series: Series) -> str:
    """As many runs of digits as the mask has; what follows is a date or an amount."""
    count = sum(piece[0] == "#" for piece in series.pieces)
    groups = re.findall(r"\d+", run)
    if len(groups[0]) >= series.digits - 1:
        count = 1
    return lead + "".join(groups[:count])


def _padded(run: str, lead: str, series: Series) -> str | None:
    """The number of this series that ``run`` is once its zeros are put back; None where it is none."""
    if series.pieces[0] != lead or any(piece[0] != "#" for piece in series.pieces[1:]):
        return None
    widths = [len(piece) for piece in series.pieces[1:]]
    groups = re.findall(r"\d+", run)
    if len(groups) >= len(widths) and all(
        len(group) <= width for group, width in zip(groups, widths, strict=False)
    ):
        fixed: list[str] = [group.zfill(width) for group, width in zip(groups, widths, strict=False)]
        return lead + "".join(fixed)
    if len(groups) == 1 and sum(widths[:-1]) < len(groups[0]) <= sum(widths):
        head = sum(widths[:-1])
        only: str = groups[0]
        return lead + only[:head] + only[head:].zfill(widths[-1])
    return None


def _unfolded(folded: str, shapes: Shapes) -> str | None:
    key = squeezed(folded)
    for one in shapes.series:
        if len(key) != sum(map(len, one.pieces)):
            continue
        at, number = 0, ""
        for piece in one.pieces:
            part = key[at : at + len(piece)]
            if part.isdigit() if piece[0] == "#" else part == lookalike(piece):
                number += part if piece[0] == "#" else piece
            at += len(piece)
        if len(number) == len(key):
            return number
    return None
