"""One signed HTTP POST to a subscriber, as the Standard Webhooks specification means it.

Headers ``webhook-id``, ``webhook-timestamp`` and ``webhook-signature`` (v1, HMAC-SHA256) let the
receiver prove the sender and drop repeats. Must never follow a redirect, because the signature
was made for one address, never wait for ever on a silent receiver, and never reach into our own
network for a subscriber unless told that this is wanted.
"""

from __future__ import annotations

import binascii
import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv6Address, ip_address
from math import floor
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from o2c.errors import Refused, Unavailable

_CONNECT_SECONDS = 5
_READ_SECONDS = 15
_REPLY_BYTES = 500  # kept as evidence; the rest of a long answer is not even read
_TRY_AGAIN = frozenset({408, 425, 429})  # 4xx that ask for patience, not for a change


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the receiver answered: the 2xx status and the start of its body."""

    status: int
    reply: str


def post(
    url: str, secret: str, message_id: str, at: datetime, body: bytes, *, private_hosts: bool = False
) -> Evidence:
    """Deliver ``body`` (UTF-8 JSON) to ``url``; ``at`` is the aware instant of this try.

    ``Unavailable`` on timeout, connection trouble, 5xx, 408, 425 and 429. ``Refused`` on an address
    that is not http(s) or, without ``private_hosts``, not public; on an unusable secret, a redirect,
    410 (``webhook-gone``) and every other 4xx.
    """
    _require_web_address(url)
    headers = _headers(secret, message_id, at, body)
    try:
        with (
            _session(private_hosts) as session,
            session.post(
                url,
                data=body,
                headers=headers,
                timeout=(_CONNECT_SECONDS, _READ_SECONDS),
                allow_redirects=False,
                stream=True,
            ) as response,
        ):
            reply = next(response.iter_content(_REPLY_BYTES), b"")
            return _judged(url, response.status_code, reply.decode(errors="replace"))
    except requests.exceptions.InvalidURL as error:
        raise _bad_address(url) from error
    except requests.RequestException as error:
        raise Unavailable(
            "webhook-unreachable",
            f"{url} did not answer: {error}.",
            next_step="It is tried again; see that the receiver runs and can be reached from here.",
        ) from error


def _require_web_address(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise _bad_address(url)


def _bad_address(url: str) -> Refused:
    return Refused(
        "webhook-address",
        f"{url!r} is not a web address.",
        next_step="Register the subscription with a full https:// address.",
    )


def _headers(secret: str, message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    utc = at.astimezone(UTC)  # the library signs the figures of the clock face, so they must be UTC
    try:
        signature = Webhook(secret).sign(message_id, utc, body.decode())
    except (EmptyWebhookSecretError, binascii.Error) as error:
        raise Refused(
            "webhook-secret",
            f"the signing secret for message {message_id} is not base64.",  # never the secret itself
            next_step="Give the subscription a new secret and tell its receiver.",
        ) from error
    return {
        "content-type": "application/json",
        "user-agent": "o2c-webhook",
        "webhook-id": message_id,
        "webhook-timestamp": str(floor(utc.timestamp())),
        "webhook-signature": signature,
    }


def _judged(url: str, status: int, reply: str) -> Evidence:
    if 200 <= status < 300:
        return Evidence(status, reply)
    words = f"{url} answered {status}: {reply or 'no words'}."
    if status >= 500 or status in _TRY_AGAIN:
        raise Unavailable("webhook-busy", words, next_step="It is tried again.")
    if status == 410:
        raise Refused("webhook-gone", words, next_step="End the subscription: the receiver wants no more.")
    if 300 <= status < 400:
        raise Refused("webhook-moved", words, next_step="Register the address it points to; we follow none.")
    raise Refused("webhook-refused", words, next_step="Ask the receiver what it objects to, then send again.")


def _session(private_hosts: bool) -> requests.Session:
    session = requests.Session()
    if not private_hosts:
        for scheme in ("http://", "https://"):
            session.mount(scheme, _PublicOnly())
    return session


class _PublicOnly(HTTPAdapter):
    """Looks at the address really connected to, so no trick of the name service gets past it.

    A proxy of the house connects by itself and applies its own rules.
    """

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _PublicHTTPPool, "https": _PublicHTTPSPool}


class _PublicHTTP(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _public(super()._new_conn(), self.host)


class _PublicHTTPS(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _public(super()._new_conn(), self.host)


class _PublicHTTPPool(HTTPConnectionPool):
    ConnectionCls = _PublicHTTP


class _PublicHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _PublicHTTPS


def _public(connection: socket.socket, host: str) -> socket.socket:
    address = connection.getpeername()[0]
    if not is_public(address):
        connection.close()
        raise Refused(
            "webhook-private",
            f"{host} leads to {address}, which is not a public address.",
            next_step="Register a public one, or set O2C_WEBHOOK_PRIVATE_HOSTS=true if the host is yours.",
        )
    return connection


def is_public(address: str) -> bool:
    """Whether an IP address is reachable from anywhere, also when IPv4 is dressed as IPv6."""
    ip = ip_address(address)
    mapped = ip.ipv4_mapped if isinstance(ip, IPv6Address) else None
    return (mapped or ip).is_global
