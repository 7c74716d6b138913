"""Webhooks against a real HTTP server on the loopback, checked with the specification's own library."""

from __future__ import annotations

import base64
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from connectors import webhook
from connectors.webhook import Evidence, is_public
from o2c.errors import O2CError, Refused, Unavailable

SECRET = "whsec_" + base64.b64encode(b"a secret of twenty-four b").decode()
BODY = '{"type":"invoice.issued","data":{"number":"INV-7","seller":"Tromsø"}}'.encode()


@dataclass
class Receiver:
    """What arrived, and what to answer."""

    url: str = ""
    status: int = 204
    reply: bytes = b""
    location: str | None = None
    delay: threading.Event | None = None
    arrived: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    kept = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            kept.arrived.append(({k.lower(): v for k, v in self.headers.items()}, body))
            if kept.delay:
                kept.delay.wait(10)
            self.send_response(kept.status)
            if kept.location:
                self.send_header("location", kept.location)
            self.send_header("content-length", str(len(kept.reply)))
            self.end_headers()
            self.wfile.write(kept.reply)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.url = f"http://127.0.0.1:{server.server_port}/hooks"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield kept
    server.shutdown()
    server.server_close()
    thread.join()


# The receiver stands on the loopback, which only a permission reaches.
post = partial(webhook.post, private_hosts=True)


def now() -> datetime:
    return datetime.now(UTC)


def test_the_receiver_can_prove_the_sender(receiver: Receiver) -> None:
    receiver.status, receiver.reply = 200, b"thanks"
    at = now()
    assert post(receiver.url, SECRET, "msg-1", at, BODY) == Evidence(200, "thanks")
    [(headers, body)] = receiver.arrived
    assert body == BODY
    assert headers["content-type"] == "application/json"
    assert headers["webhook-id"] == "msg-1"
    assert headers["webhook-timestamp"] == str(int(at.timestamp()))
    assert Webhook(SECRET).verify(body, headers)["data"]["seller"] == "Tromsø"


def test_a_changed_body_fails_the_proof(receiver: Receiver) -> None:
    post(receiver.url, SECRET, "msg-1", now(), BODY)
    [(headers, body)] = receiver.arrived
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body.replace(b"INV-7", b"INV-8"), headers)


def test_the_time_zone_of_the_clock_does_not_matter(receiver: Receiver) -> None:
    post(receiver.url, SECRET, "msg-1", now().astimezone(timezone(timedelta(hours=9))), BODY)
    [(headers, body)] = receiver.arrived
    assert Webhook(SECRET).verify(body, headers)


@pytest.mark.parametrize(
    ("status", "error", "code"),
    [
        (500, Unavailable, "webhook-busy"),
        (503, Unavailable, "webhook-busy"),
        (429, Unavailable, "webhook-busy"),
        (408, Unavailable, "webhook-busy"),
        (410, Refused, "webhook-gone"),
        (400, Refused, "webhook-refused"),
        (404, Refused, "webhook-refused"),
        (302, Refused, "webhook-moved"),
    ],
)
def test_the_answer_says_who_can_mend_it(
    receiver: Receiver, status: int, error: type[O2CError], code: str
) -> None:
    receiver.status, receiver.reply, receiver.location = status, b"words of theirs", receiver.url
    with pytest.raises(error) as caught:
        post(receiver.url, SECRET, "msg-1", now(), BODY)
    assert caught.value.code == code
    assert f"answered {status}: words of theirs" in caught.value.message
    assert caught.value.next_step
    assert len(receiver.arrived) == 1  # no redirect followed, no try of its own


def test_a_long_answer_is_cut(receiver: Receiver) -> None:
    receiver.status, receiver.reply = 200, b"x" * 1_000_000
    assert post(receiver.url, SECRET, "msg-1", now(), BODY).reply == "x" * 500


def test_a_silent_receiver_is_left_alone(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "_READ_SECONDS", 0.2)
    receiver.delay = threading.Event()
    with pytest.raises(Unavailable) as caught:
        post(receiver.url, SECRET, "msg-1", now(), BODY)
    receiver.delay.set()
    assert caught.value.code == "webhook-unreachable"


def test_nobody_listening_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        with pytest.raises(Unavailable) as caught:
            post(f"http://127.0.0.1:{probe.getsockname()[1]}/", SECRET, "msg-1", now(), BODY)
    assert caught.value.code == "webhook-unreachable"


@pytest.mark.parametrize(
    "url", ["ftp://a.example/x", "file:///etc/passwd", "a.example/x", "https://", "http://*a/"]
)
def test_what_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(Refused) as caught:
        post(url, SECRET, "msg-1", now(), BODY)
    assert caught.value.code == "webhook-address"
    assert url in caught.value.message


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_a"])
def test_an_unusable_secret_is_refused_and_not_told(secret: str) -> None:
    with pytest.raises(Refused) as caught:
        post("https://a.example/", secret, "msg-1", now(), BODY)
    assert caught.value.code == "webhook-secret"
    assert "whsec" not in str(caught.value)


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_our_own_network_is_out_of_reach_without_permission(receiver: Receiver, name: str) -> None:
    url = receiver.url.replace("127.0.0.1", name)
    with pytest.raises(Refused) as caught:
        webhook.post(url, SECRET, "msg-1", now(), BODY)
    assert caught.value.code == "webhook-private"
    assert f"{name} leads to 127.0.0.1" in caught.value.message
    assert "O2C_WEBHOOK_PRIVATE_HOSTS" in caught.value.next_step
    assert receiver.arrived == []


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("10.1.2.3", False),
        ("169.254.169.254", False),
        ("192.168.0.1", False),
        ("127.0.0.1", False),
        ("0.0.0.0", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:10.0.0.1", False),
    ],
)
def test_which_addresses_are_public(address: str, public: bool) -> None:
    assert is_public(address) is public
