"""Field types of bodies and queries, with the limits of the columns they end up in.

The same checks as in the house's JSON codec (``formats.decoding``), so that a figure or a day is
read alike everywhere. Nothing passes that a document or a PostgreSQL text could not carry.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from formats.characters import illegal_character
from formats.decoding import decoder
from gateway.http.problems import Unfit
from o2c.errors import Fault

ID_LIMIT = 80  # ids of ours and of our callers' customers, products, warehouses
EXTERNAL_LIMIT = 200  # the caller's own ids and idempotency keys
TEXT_LIMIT = 2_000
FILE_LIMIT = 262_144  # characters of a rule file
NUMBER_PATTERN = r"^-?[0-9]{1,24}(\.[0-9]{1,24})?$"


def _legal(text: str) -> str:
    bad = illegal_character(text)
    if bad:
        raise Unfit("character", f"holds {bad}, which no business document can carry.")
    return text


def _read(kind: type) -> Any:
    read = decoder(kind)

    def validate(value: Any) -> Any:
        faults: list[Fault] = []
        result = read(value, "", faults)
        if faults:
            raise Unfit(faults[0].code, faults[0].message)
        return result

    return BeforeValidator(validate)


NUMBER_SCHEMA = {"anyOf": [{"type": "string", "pattern": NUMBER_PATTERN}, {"type": "number"}]}
Number = Annotated[Decimal, _read(Decimal), WithJsonSchema(NUMBER_SCHEMA)]
Day = Annotated[date, _read(date), WithJsonSchema({"type": "string", "format": "date"})]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$", min_length=3, max_length=3)]
Id = Annotated[str, Field(min_length=1, max_length=ID_LIMIT), AfterValidator(_legal)]
ExternalId = Annotated[str, Field(min_length=1, max_length=EXTERNAL_LIMIT), AfterValidator(_legal)]
Words = Annotated[str, Field(min_length=1, max_length=TEXT_LIMIT), AfterValidator(_legal)]
FileText = Annotated[str, Field(min_length=1, max_length=FILE_LIMIT), AfterValidator(_legal)]
_INSTANT_SCHEMA = {"type": "string", "format": "date-time"}
Instant = Annotated[datetime, _read(datetime), WithJsonSchema(_INSTANT_SCHEMA)]


class Strict(BaseModel):
    """A body: unknown fields are refused, nothing is converted behind the caller's back."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Query(BaseModel):
    """Query parameters: text that is read as what the field says."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Paging(Query):
    """Cursor paging: ``after`` is the ``next`` of the page before."""

    limit: int = Field(50, ge=1, le=500)
    after: Annotated[str, Field(max_length=EXTERNAL_LIMIT), AfterValidator(_legal)] = ""


class Amount(Strict):
    """An amount of money: ``{"amount": "120.00", "currency": "EUR"}``."""

    amount: Number
    currency: Currency
