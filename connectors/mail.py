"""A delivery channel over SMTP: invoices as attachments, notices as plain text.

Governed by RFC 5321 (reply codes), RFC 5322 (Message-ID, Date) and RFC 3207 (STARTTLS). The
Message-ID is the parcel's, so a resend is recognised as the same mail. Must never report a mail
as handed over without the server's 2xx reply to its data, and never retry what a 5xx refused.
"""

from __future__ import annotations

import smtplib
import ssl
from contextlib import closing, suppress
from dataclasses import dataclass, field
from email import policy
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

from o2c.errors import Refused, Unavailable
from o2c.ports import Clock, Parcel

# Bodies travel as 7 bit text, so no server extension is needed (RFC 6152).
_POLICY = policy.SMTP.clone(cte_type="7bit")


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed in. ``sender`` is the plain address shown and used for bounces."""

    host: str
    sender: str
    port: int = 25
    starttls: bool = False
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    timeout_seconds: int = 30


class Mail:
    """``DeliveryChannel`` over one SMTP server."""

    def __init__(self, server: MailServer, clock: Clock) -> None:
        self._server = server
        self._clock = clock

    def send(self, parcel: Parcel) -> str:
        """The server's reply, e.g. ``250 OK queued as 4F1``. ``Unavailable`` for a connection or
        4xx trouble, ``Refused`` with the next step where the server said 5xx."""
        message = self._message(parcel)
        try:
            with closing(self._connect()) as smtp:
                evidence = _hand_over(smtp, self._server.sender, parcel.recipient, message)
                with suppress(smtplib.SMTPException, OSError):  # the mail is theirs already
                    smtp.quit()
                return evidence
        except (smtplib.SMTPException, OSError) as error:
            raise Unavailable(
                "mail-server",
                f"mail server {self._server.host}:{self._server.port}: {error}.",
                next_step="Check host, port, STARTTLS and login of the mail channel; it is tried again.",
            ) from error

    def _connect(self) -> smtplib.SMTP:
        server = self._server
        smtp = smtplib.SMTP(server.host, server.port, timeout=server.timeout_seconds)
        try:
            if server.starttls:
                smtp.starttls(context=ssl.create_default_context())
            if server.user:
                smtp.login(server.user, server.password or "")
            smtp.ehlo_or_helo_if_needed()
        except BaseException:
            smtp.close()
            raise
        return smtp

    def _message(self, parcel: Parcel) -> EmailMessage:
        message = EmailMessage(policy=_POLICY)
        message["From"] = self._server.sender
        message["To"] = _address(parcel.recipient)
        message["Subject"] = " ".join(parcel.subject.split())  # a line break would start a new header
        message["Date"] = format_datetime(self._clock.now())
        message["Message-ID"] = f"<{_message_id(parcel.message_id, self._server.sender)}>"
        message.set_content(parcel.body)
        if parcel.content is not None:
            maintype, _, subtype = parcel.media_type.partition("/")
            message.add_attachment(
                parcel.content, maintype=maintype, subtype=subtype, filename=parcel.file_name
            )
        return message


def _address(recipient: str) -> Address:
    try:
        address = Address(addr_spec=recipient)
    except (ValueError, IndexError, MessageError):
        address = Address()
    # Names beyond ASCII need SMTPUTF8 (RFC 6531), which few servers of public bodies speak.
    if not (address.username and address.domain and recipient.isascii()):
        raise Refused(
            "mail-address",
            f"{recipient!r} is not an e-mail address.",
            next_step="Correct the customer's e-mail address, then send the document again.",
        )
    return address


def _message_id(message_id: str, sender: str) -> str:
    # RFC 5322 3.6.4: an id has two sides; ours is unique within the sender's domain.
    return message_id if "@" in message_id else f"{message_id}@{sender.rpartition('@')[2]}"


def _hand_over(smtp: smtplib.SMTP, sender: str, recipient: str, message: EmailMessage) -> str:
    _accepted(smtp.mail(sender), "mail-sender", f"sender {sender}", "Correct the mail channel's sender")
    _accepted(
        smtp.rcpt(recipient),
        "mail-recipient",
        f"recipient {recipient}",
        "Correct the customer's e-mail address",
    )
    try:
        reply = smtp.data(message.as_bytes())
    except smtplib.SMTPDataError as error:  # refused before the first byte
        reply = (error.smtp_code, str(error.smtp_error).encode())
    return _accepted(reply, "mail-message", f"mail to {recipient}", "Remove what the server objects to")


def _accepted(reply: tuple[int, bytes], code: str, what: str, remedy: str) -> str:
    status, text = reply
    words = f"{status} {text.decode(errors='replace')}"
    if 200 <= status < 300:
        return words
    if status < 500:  # RFC 5321 4.2.1: 4yz is worth another try as it stands
        raise Unavailable(code, f"the mail server put off the {what}: {words}.", next_step="We try again.")
    raise Refused(
        code,
        f"the mail server refused the {what}: {words}.",
        next_step=f"{remedy}, then send the document again.",
    )
