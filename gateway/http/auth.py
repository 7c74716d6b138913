"""Who calls, and whether the key allows it: ``Authorization: Bearer o2c_...`` (RFC 6750).

The company comes from the key: there is none in any path, so no caller can reach another's rows.
The journal names the key's label, never the key.
"""

from __future__ import annotations

from flask import g, request

from gateway.http.problems import Forbidden, Unauthorised
from gateway.stages.desk import Desk
from gateway.store.keys import KeyRing
from gateway.wiring import House

_NEXT = "Send Authorization: Bearer KEY; make a key with: o2c key create."


def enter(house: House, keys: KeyRing, scope: str) -> Desk:
    """The caller's desk. Raises ``Unauthorised`` without a usable key and ``Forbidden`` without the scope."""
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not text:
        raise Unauthorised("key-missing", "the request carries no API key.", next_step=_NEXT)
    key = keys.open(text.strip())
    if key is None:
        raise Unauthorised("key-invalid", "the API key is wrong, revoked or expired.", next_step=_NEXT)
    g.company_id, g.actor = key.company_id, f"key:{key.label}"
    if not key.allows(scope):
        raise Forbidden(
            "scope-missing",
            f'the API key "{key.label}" lacks the scope {scope}.',
            next_step=f"Make a key with the scope {scope}.",
        )
    return house.desk(key.company_id, g.actor)
