"""The creditor reference that closes the loop: printed on the invoice, returned by the bank.

Governed by ISO 11649 (``RF`` + two check digits + at most 21 letters or digits, mod 97-10 of
ISO 7064). Carried as BT-83 and as ``RmtInf/Strd/CdtrRefInf/Ref``. Never invents a reference:
the same invoice number always gives the same one.
"""

from __future__ import annotations

import re

from o2c.errors import Refused

BODY_LENGTH = 21
_FOREIGN = re.compile(r"[^A-Z0-9]")
_RF = re.compile(r"RF\d\d([A-Z0-9]{1,21})")


def normal(text: str) -> str:
    """A reference as it is compared: upper case, no blanks of any kind."""
    return "".join(text.split()).upper()


def rf_reference(number: str) -> str:
    """The RF reference of an invoice number; its letters (A-Z) and digits are the body.

    Raises ``Refused('reference-body')`` where nothing usable is left or more than 21 characters
    are: a shortened body could belong to two invoices.
    """
    body = _FOREIGN.sub("", normal(number))
    if not 1 <= len(body) <= BODY_LENGTH:
        raise Refused(
            "reference-body",
            f"invoice number {number!r} leaves {len(body)} letters and digits; ISO 11649 takes 1 to 21.",
            next_step="Choose a number series of 1 to 21 letters A-Z and digits.",
        )
    return f"RF{_check_digits(body)}{body}"


def is_rf(text: str) -> bool:
    """Whether ``text``, blanks aside, is an RF reference with the right check digits."""
    reference = normal(text)
    found = _RF.fullmatch(reference)
    return found is not None and reference[2:4] == _check_digits(found[1])


def _check_digits(body: str) -> str:
    # ISO 7064 mod 97-10: letters count 10 to 35, "RF00" is moved behind the body.
    number = int("".join(str(int(sign, 36)) for sign in body + "RF00"))
    return f"{98 - number % 97:02d}"
