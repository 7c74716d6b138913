"""The mail channel against a real SMTP server on the loopback, which parses what it was handed."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from connectors.mail import Mail, MailServer
from connectors.memory import SteppedClock
from o2c.errors import O2CError, Refused, Unavailable
from o2c.ports import Parcel

PARCEL = Parcel(
    message_id="inv-7",
    company_id="acme",
    recipient="buyer@kunde.example",
    subject="Rechnung INV-7 für März",
    body="Grüße aus Tromsø\n",
    file_name="INV-7.xml",
    content="<Invoice>ø</Invoice>".encode(),
)


@dataclass
class Mailbox:
    """What the server keeps, and the replies it was told to give instead of its own."""

    mails: list[EmailMessage] = field(default_factory=list)
    mail_reply: str | None = None
    rcpt_reply: str | None = None
    data_reply: str = "250 queued as 4F1"

    async def handle_MAIL(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        envelope.mail_from = address
        return self.mail_reply or "250 OK"

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        return self.rcpt_reply or "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        if self.data_reply.startswith("250"):
            parsed = message_from_bytes(envelope.content, EmailMessage, policy=policy.SMTP)
            self.mails.append(parsed)
        return self.data_reply


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def server(mailbox: Mailbox) -> Iterator[MailServer]:
    controller = Controller(mailbox, hostname="127.0.0.1", port=_free_port())
    controller.start()
    yield MailServer("127.0.0.1", "billing@acme.example", port=controller.port, timeout_seconds=5)
    controller.stop()


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock(datetime(2026, 3, 1, 8, 30, tzinfo=UTC))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_an_invoice_arrives_as_it_was_sent(server: MailServer, clock: SteppedClock, mailbox: Mailbox) -> None:
    assert Mail(server, clock).send(PARCEL) == "250 queued as 4F1"
    [mail] = mailbox.mails
    assert mail["From"] == "billing@acme.example"
    assert mail["To"] == "buyer@kunde.example"
    assert mail["Subject"] == "Rechnung INV-7 für März"
    assert mail["Date"].datetime == clock.now()
    body = mail.get_body(("plain",))
    assert body is not None
    assert body.get_content().splitlines() == ["Grüße aus Tromsø"]
    [attachment] = mail.iter_attachments()
    assert attachment.get_filename() == "INV-7.xml"
    assert attachment.get_content_type() == "application/xml"
    assert attachment.get_payload(decode=True) == "<Invoice>ø</Invoice>".encode()


def test_a_notice_has_no_attachment(server: MailServer, clock: SteppedClock, mailbox: Mailbox) -> None:
    Mail(server, clock).send(replace(PARCEL, content=None, file_name=None))
    [mail] = mailbox.mails
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content().splitlines() == ["Grüße aus Tromsø"]


@pytest.mark.parametrize(
    ("message_id", "header"),
    [("inv-7", "<inv-7@acme.example>"), ("inv-7@o2c.example", "<inv-7@o2c.example>")],
)
def test_every_resend_carries_the_same_message_id(
    server: MailServer, clock: SteppedClock, mailbox: Mailbox, message_id: str, header: str
) -> None:
    for day in ("2026-03-02", "2026-03-03"):
        clock.turn_to(day)
        Mail(server, clock).send(replace(PARCEL, message_id=message_id))
    assert [mail["Message-ID"] for mail in mailbox.mails] == [header, header]


@pytest.mark.parametrize(
    ("mail_reply", "rcpt_reply", "data_reply", "error", "code"),
    [
        (None, "550 5.1.1 no such person", "250 OK", Refused, "mail-recipient"),
        (None, "450 4.2.1 mailbox busy", "250 OK", Unavailable, "mail-recipient"),
        ("553 5.7.1 not your address", None, "250 OK", Refused, "mail-sender"),
        ("451 4.3.0 try later", None, "250 OK", Unavailable, "mail-sender"),
        (None, None, "552 5.3.4 too big", Refused, "mail-message"),
        (None, None, "452 4.3.1 disk full", Unavailable, "mail-message"),
        (None, "421 4.3.2 going down", "250 OK", Unavailable, "mail-recipient"),
    ],
)
def test_the_servers_no_says_who_can_mend_it(
    server: MailServer,
    clock: SteppedClock,
    mailbox: Mailbox,
    mail_reply: str | None,
    rcpt_reply: str | None,
    data_reply: str,
    error: type[O2CError],
    code: str,
) -> None:
    mailbox.mail_reply, mailbox.rcpt_reply, mailbox.data_reply = mail_reply, rcpt_reply, data_reply
    with pytest.raises(error) as caught:
        Mail(server, clock).send(PARCEL)
    assert caught.value.code == code
    assert (mail_reply or rcpt_reply or data_reply) in caught.value.message
    assert caught.value.next_step
    assert mailbox.mails == []


def test_no_server_is_tried_again(clock: SteppedClock) -> None:
    with pytest.raises(Unavailable) as caught:
        Mail(MailServer("127.0.0.1", "billing@acme.example", port=_free_port()), clock).send(PARCEL)
    assert caught.value.code == "mail-server"


def test_a_mail_never_goes_in_clear_where_starttls_was_asked(
    server: MailServer, clock: SteppedClock, mailbox: Mailbox
) -> None:
    with pytest.raises(Unavailable, match="STARTTLS"):
        Mail(replace(server, starttls=True), clock).send(PARCEL)
    assert mailbox.mails == []


def test_a_subject_cannot_smuggle_in_a_header(
    server: MailServer, clock: SteppedClock, mailbox: Mailbox
) -> None:
    Mail(server, clock).send(replace(PARCEL, subject="Invoice\r\nBcc: everyone@example.org"))
    [mail] = mailbox.mails
    assert mail["Bcc"] is None
    assert mail["Subject"] == "Invoice Bcc: everyone@example.org"


@pytest.mark.parametrize(
    "recipient",
    [
        "",
        "nobody",
        "a@",
        "@b.example",
        "a@b.example, c@d.example",
        "a@b.example\r\nRCPT TO:<x@y>",
        "jörg@b.example",
    ],
)
def test_what_is_no_address_is_refused_before_a_connection(clock: SteppedClock, recipient: str) -> None:
    with pytest.raises(Refused) as caught:
        Mail(MailServer("host.invalid", "billing@acme.example"), clock).send(
            replace(PARCEL, recipient=recipient)
        )
    assert caught.value.code == "mail-address"


def test_the_password_is_in_no_message() -> None:
    assert "hunter2" not in repr(MailServer("h", "a@b.example", user="u", password="hunter2"))
