"""The creditor reference that closes the loop: printed on the invoice, returned by the bank.

Ours is ISO 11649 (``RF`` + two check digits + at most 21 letters or digits, mod 97-10 of ISO 7064),
carried as BT-83 and as ``RmtInf/Strd/CdtrRefInf/Ref``. The national ones are recognised: Norwegian KID,
Swiss QRR and ISR, Belgian OGM/VCS, Finnish viite, Swedish OCR, Danish FIK 71 and 75. The type a file
gives is not asked: a reference is what its check digits say, and what one of our items carries.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from itertools import cycle
from operator import mul

from o2c.errors import Refused

BODY_LENGTH = 21
_FOREIGN = re.compile(r"[^A-Z0-9]")
_RF = re.compile(r"RF\d\d([A-Z0-9]{1,21})")
_FIK = re.compile(r"\+?(?:71|75)<(\d{15,16})(?:\+\d{7,8})?<?")
_MODULO_10 = (0, 9, 4, 6, 8, 2, 7, 1, 3, 5)  # the carry table of the recursive check digit
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


class Scheme(StrEnum):
    """Who defines a reference."""

    RF = "RF"
    KID = "KID"
    QRR = "QRR"
    OGM = "OGM"
    VIITE = "viite"
    OCR = "OCR"
    FIK = "FIK"


def normal(text: str) -> str:
    """A reference as it is compared: letters and digits in upper case, without the zeros that pad it.

    Leading zeros change no check digit of any scheme here. Of a Danish FIK line only the payment id counts.
    """
    if "<" in text and (fik := _FIK.search("".join(text.split()))):
        text = fik[1]
    upper = _FOREIGN.sub("", "".join(text.split()).upper())
    return (upper.lstrip("0") or upper) if upper.isdigit() else upper


def rf_reference(number: str) -> str:
    """The RF reference of an invoice number; its letters (A-Z) and digits are the body.

    Raises ``Refused('reference-body')`` where nothing usable is left or more than 21 characters
    are: a shortened body could belong to two invoices.
    """
    body = _FOREIGN.sub("", "".join(number.split()).upper())
    if not 1 <= len(body) <= BODY_LENGTH:
        raise Refused(
            "reference-body",
            f"invoice number {number!r} leaves {len(body)} letters and digits; ISO 11649 takes 1 to 21.",
            next_step="Choose a number series of 1 to 21 letters A-Z and digits.",
        )
    return f"RF{_check_digits(body)}{body}"


def is_rf(text: str) -> bool:
    """Whether ``text``, blanks aside, is an RF reference with the right check digits."""
    reference = "".join(text.split()).upper()
    found = _RF.fullmatch(reference)
    return found is not None and found[1].isascii() and reference[2:4] == _check_digits(found[1])


def schemes(text: str) -> tuple[Scheme, ...]:
    """Every scheme whose length and check digit ``text`` fits; usually one or none, blanks aside.

    Padding zeros are left out of the length, so that a number padded by a bank is still known.
    """
    key = normal(text)
    if not key.isdigit():
        return (Scheme.RF,) if is_rf(key) else ()
    return tuple(scheme for scheme, length, fits in _NATIONAL if len(key) <= length and fits(key))


def is_checked(key: str) -> bool:
    """Whether a normal reference carries a check digit that is right (of whichever scheme)."""
    if not key.isdigit():
        return is_rf(key)
    size = len(key)
    return any(2 <= size <= length and fits(key) for _, length, fits in _DISTINCT)


def luhn(digits: str) -> bool:
    """Modulus 10 with weights 2-1 from the right: OCR, FIK and most KID."""
    total = sum(map(int, digits[-1::-2])) + sum(map(_DOUBLED.__getitem__, map(int, digits[-2::-2])))
    return len(digits) > 1 and total % 10 == 0


def _modulus_11(digits: str) -> bool:
    # KID: weights 2 to 7 from the right, the check digit last ("-" for 10 is not sent by banks).
    return len(digits) > 1 and (_weighed(digits, (2, 3, 4, 5, 6, 7)) + int(digits[-1])) % 11 == 0


def _kid(digits: str) -> bool:
    return luhn(digits) or _modulus_11(digits)


def _recursive(digits: str) -> bool:
    carry = 0
    for digit in map(int, digits[:-1]):
        carry = _MODULO_10[(carry + digit) % 10]
    return len(digits) > 1 and (10 - carry) % 10 == int(digits[-1])


def _ogm(digits: str) -> bool:
    return len(digits) > 2 and int(digits[-2:]) == (int(digits[:-2]) % 97 or 97)


def _viite(digits: str) -> bool:
    return len(digits) > 3 and (10 - _weighed(digits, (7, 3, 1)) % 10) % 10 == int(digits[-1])


def _weighed(digits: str, weights: Sequence[int]) -> int:
    """The sum of all digits but the last, each times its weight; the weights run from the right."""
    return sum(map(mul, map(int, digits[-2::-1]), cycle(weights)))


_NATIONAL = (
    (Scheme.KID, 25, _kid),
    (Scheme.QRR, 27, _recursive),
    (Scheme.OGM, 12, _ogm),
    (Scheme.VIITE, 20, _viite),
    (Scheme.OCR, 25, luhn),
    (Scheme.FIK, 16, luhn),
)
# What is a right OCR or FIK is a right KID too: whoever asks only for a right check digit asks that once.
_DISTINCT = tuple(one for one in _NATIONAL if one[2] is not luhn)


def _check_digits(body: str) -> str:
    # ISO 7064 mod 97-10: letters count 10 to 35, "RF00" is moved behind the body.
    number = int("".join(str(int(sign, 36)) for sign in body + "RF00"))
    return f"{98 - number % 97:02d}"
