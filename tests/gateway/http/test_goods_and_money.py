"""From a shipment to a paid invoice through the API, and the reports on it."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import update

from formats import canonical
from gateway.store.schema import job
from gateway.wiring import House
from tests.gateway.http.conftest import BUYER, COMPANY, IBAN, Caller, pointers, problem


def statement(number: str, amount: str, *, reference: str | None = None, closing: str | None = None) -> str:
    """A camt.053 file with one receipt."""
    structured = f"<Strd><CdtrRefInf><Ref>{reference}</Ref></CdtrRefInf></Strd>"
    remittance = structured if reference else "<Ustrd>hello</Ustrd>"
    end = closing or f"{1000 + float(amount):.2f}"

    def balance(code: str, value: str) -> str:
        return (
            f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy='NOK'>{value}</Amt>"
            "<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-03-05</Dt></Dt></Bal>"
        )

    return (
        "<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.02'><BkToCstmrStmt>"
        "<GrpHdr><MsgId>m</MsgId><CreDtTm>2026-03-05T06:00:00</CreDtTm></GrpHdr>"
        f"<Stmt><Id>{number}</Id><CreDtTm>2026-03-05T06:00:00</CreDtTm>"
        f"<Acct><Id><IBAN>{IBAN}</IBAN></Id><Ccy>NOK</Ccy></Acct>"
        f"{balance('OPBD', '1000.00')}{balance('CLBD', end)}"
        f"<Ntry><Amt Ccy='NOK'>{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts>"
        f"<BookgDt><Dt>2026-03-05</Dt></BookgDt><AcctSvcrRef>r-{number}</AcctSvcrRef>"
        "<BkTxCd><Prtry><Cd>x</Cd></Prtry></BkTxCd>"
        f"<NtryDtls><TxDtls><RmtInf>{remittance}</RmtInf></TxDtls></NtryDtls></Ntry></Stmt>"
        "</BkToCstmrStmt></Document>"
    )


def bank_file(caller: Caller, content: str) -> Any:
    """The answer to a bank file."""
    return caller.post("/v1/bank-files", raw=content, media="application/xml")


def test_a_shipment_happens_once(caller: Caller) -> None:
    caller.given_goods()
    made = caller.given_order()
    path = f"/v1/orders/{made['id']}/shipments"
    body = {
        "external_id": "S-1",
        "lines": [{"line_id": "1", "quantity": 1}],
        "shipped_on": "2026-03-02",
        "carrier": "Posten",
        "tracking_id": "T1",
    }
    first = caller.post(path, body)
    assert first.status_code == 201
    shipment_id = first.json["shipment"]["shipment_id"]
    assert first.headers["Location"] == f"/v1/shipments/{shipment_id}"
    assert first.json["billing"] == "due"
    again = caller.post(path, body)
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (200, "true")
    changed = caller.post(path, body | {"lines": [{"line_id": "1", "quantity": "2"}]})
    assert problem(changed) == (409, "shipment-changed")
    assert [one["shipment"]["carrier"] for one in caller.get(path).json["items"]] == ["Posten"]
    assert caller.get(f"/v1/orders/{made['id']}").json["status"] == "partly shipped"
    assert caller.get(f"/v1/shipments/{shipment_id}").json["shipment"]["tracking_id"] == "T1"


def test_only_what_is_reserved_can_leave(caller: Caller) -> None:
    caller.given_goods()
    made = caller.given_order()
    path = f"/v1/orders/{made['id']}/shipments"
    too_much = caller.post(path, {"external_id": "S", "lines": [{"line_id": "1", "quantity": "3"}]})
    assert problem(too_much) == (422, "not-reserved")
    for quantity in ("0", "-1", "1e3", "9" * 20):
        answered = caller.post(path, {"external_id": "S", "lines": [{"line_id": "1", "quantity": quantity}]})
        assert problem(answered) == (422, "request-invalid")
        assert pointers(answered) == [("/lines/0/quantity", "number")]
    assert problem(caller.post(path, {"external_id": "x" * 201})) == (422, "request-invalid")
    assert problem(caller.post("/v1/orders/none/shipments", {"external_id": "S"})) == (404, "order")
    assert problem(caller.get("/v1/shipments/none")) == (404, "shipment")


def test_a_stopped_billing_is_tried_again_when_the_customer_is_mended(caller: Caller) -> None:
    caller.given_goods()
    made = caller.given_order()
    caller.put("/v1/customers/C-1", {"party": BUYER, "channel": "mail"})  # and no address
    shipped = caller.post(f"/v1/orders/{made['id']}/shipments", {"external_id": "S-1"}).json
    caller.work()
    path = f"/v1/shipments/{shipped['shipment']['shipment_id']}"
    stopped = caller.get(path).json
    assert stopped["billing"] == "stopped"
    assert stopped["findings"][0]["rule"] == "mail-address-missing"
    tried = caller.post(f"{path}/billing")
    assert (tried.status_code, tried.headers["Location"]) == (202, path)
    caller.work()
    assert caller.get(path).json["billing"] == "stopped"
    caller.put("/v1/customers/C-1", {"party": BUYER})
    caller.work()
    seen = caller.get(path).json
    assert (seen["billing"], seen.get("findings")) == ("done", None), seen
    assert seen["invoice_number"] == "INV-00001"
    assert problem(caller.post(f"{path}/billing")) == (409, "shipment-state")


def test_an_invoice_is_shown_with_its_report_and_its_exact_bytes(caller: Caller) -> None:
    caller.given_goods()
    seen = caller.given_invoice()
    assert seen["number"] == "INV-00001"
    assert seen["open"] == seen["gross"] == {"amount": "124.75", "currency": "NOK"}
    assert seen["invoice"]["totals"]["payable"] == "124.75"
    assert {layer["layer"] for layer in seen["report"]["layers"]} >= {"xsd", "en16931"}
    assert [each["state"] for each in seen["deliveries"]] == ["sent"]
    as_xml = caller.get("/v1/invoices/INV-00001", headers={"Accept": "application/xml"})
    document = caller.get("/v1/invoices/INV-00001/document")
    assert as_xml.data == document.data
    assert canonical.sha256(document.data) == seen["document_sha256"]
    assert document.content_type == "application/xml"
    assert problem(caller.get("/v1/invoices/INV-2")) == (404, "invoice")
    assert problem(caller.get("/v1/invoices/INV-2/document")) == (404, "invoice")


def test_invoices_are_listed(caller: Caller) -> None:
    caller.given_goods()
    first = caller.given_invoice("A-1")
    caller.given_invoice("A-2")
    page = caller.get("/v1/invoices?limit=1").json
    assert [each["number"] for each in page["items"]] == ["INV-00001"]
    rest = caller.get(f"/v1/invoices?after={page['next']}").json
    assert [each["number"] for each in rest["items"]] == ["INV-00002"]
    assert "next" not in rest
    mine = caller.get(f"/v1/invoices?order_id={first['order_id']}").json
    assert [each["open"]["amount"] for each in mine["items"]] == ["124.75"]
    assert problem(caller.get("/v1/invoices?after=x")) == (422, "request-invalid")
    assert problem(caller.get(f"/v1/invoices?after={'9' * 30}")) == (422, "request-invalid")


def test_a_sent_message_is_not_sent_again(caller: Caller) -> None:
    caller.given_goods()
    message_id = caller.given_invoice()["message_id"]
    assert problem(caller.post(f"/v1/messages/{message_id}/send-again")) == (409, "message-state")
    assert problem(caller.post("/v1/messages/none/send-again")) == (404, "message")


def test_a_failed_message_is_sent_again_under_its_id(caller: Caller) -> None:
    caller.given_goods()
    known = {"party": BUYER, "channel": "mail", "email": "kari@kyst.example", "approval_until": "2030-01-01"}
    caller.put("/v1/customers/C-1", known)  # no mail server is configured here
    seen = caller.given_invoice()
    assert [each["state"] for each in seen["deliveries"]] == ["failed"]
    again = caller.post(f"/v1/messages/{seen['message_id']}/send-again")
    assert (again.status_code, again.json["state"]) == (202, "queued")


def test_a_payment_with_the_reference_pays_the_invoice(caller: Caller) -> None:
    caller.given_goods()
    seen = caller.given_invoice()
    content = statement("1", "124.75", reference=seen["reference"])
    told = bank_file(caller, content)
    assert told.status_code == 201
    [one] = told.json["items"]
    assert (one["applied"], one["unmatched"], one["duplicate"]) == (1, 0, False)
    again = bank_file(caller, content)
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (200, "true")
    assert [each["duplicate"] for each in again.json["items"]] == [True]
    paid = caller.get("/v1/invoices/INV-00001").json
    assert paid["open"]["amount"] == "0.00"
    assert paid["settled_at"]
    [payment] = caller.get("/v1/payments").json["items"]
    assert (payment["state"], payment["amount"]) == ("applied", {"amount": "124.75", "currency": "NOK"})
    assert caller.get(f"/v1/orders/{seen['order_id']}").json["status"] == "paid"


def test_money_that_says_nothing_waits_for_a_person(caller: Caller) -> None:
    assert bank_file(caller, statement("1", "10.00")).status_code == 201
    [payment] = caller.get("/v1/payments").json["items"]
    assert (payment["state"], payment["unallocated"]["amount"]) == ("unmatched", "10.00")
    assert payment["reason"]


def test_a_bank_file_in_doubt_is_refused_whole(caller: Caller) -> None:
    assert problem(bank_file(caller, statement("1", "10.00", closing="1.00"))) == (422, "balance")
    assert problem(bank_file(caller, "<a>")) == (422, "malformed")
    assert problem(bank_file(caller, "")) == (422, "malformed")
    other = statement("1", "10.00").replace(IBAN, "NO8330001234567")
    assert problem(bank_file(caller, other)) == (422, "account")
    assert bank_file(caller, statement("1", "10.00")).status_code == 201
    assert problem(bank_file(caller, statement("1", "20.00"))) == (409, "conflict")
    assert len(caller.get("/v1/payments").json["items"]) == 1


def test_a_held_order_says_what_to_settle_first(caller: Caller, house: House) -> None:
    caller.given_goods()
    seen = caller.given_invoice()
    from datetime import UTC, datetime

    from gateway.store import companies

    later = datetime(2026, 6, 1, 9, tzinfo=UTC)
    house.database.write(lambda c: companies.turn_clock(c, COMPANY, later))
    held = caller.given_order("A-2")
    assert (held["state"], held["status"]) == ("held", "held")
    assert [item["number"] for item in held["settle_first"]] == [seen["number"]]
    assert held["settle_first"][0]["open"] == {"amount": "124.75", "currency": "NOK"}
    refused = caller.post(f"/v1/orders/{held['id']}/approval", {"decision": "refuse", "reason": "pay first"})
    assert (refused.json["state"], refused.json["status"]) == ("refused", "refused")


def test_the_figures_and_the_tax_file(caller: Caller) -> None:
    caller.given_goods()
    caller.given_invoice()
    figures = caller.get("/v1/reports/kpi?from=2026-03-01&to=2026-03-31")
    assert figures.status_code == 200
    assert figures.json["orders"] == 1
    file = caller.get("/v1/reports/saft?from=2026-03-01&to=2026-03-31&version=1.30")
    assert file.status_code == 200, file.text
    assert file.data.startswith(b"<?xml")
    assert file.data.rstrip().endswith(b"</AuditFile>")
    assert "attachment" in file.headers["Content-Disposition"]


def test_a_period_that_makes_no_sense_is_refused(caller: Caller) -> None:
    backwards, more = "from=2026-03-02&to=2026-03-01", "from=2026-03-01&to=2026-03-01&a"
    for query in ("", "from=2026-03-01", "from=x&to=y", backwards, f"{more}=1"):
        for report in ("kpi", "saft"):
            assert problem(caller.get(f"/v1/reports/{report}?{query}"))[0] == 422, query


def test_a_document_is_validated_without_being_kept(caller: Caller) -> None:
    caller.given_goods()
    caller.given_invoice()
    content = caller.get("/v1/invoices/INV-00001/document").data
    good = caller.post("/v1/validations", raw=content, media="application/xml")
    assert good.status_code == 200
    assert good.json["findings"] == []
    broken = content.replace(b"<cbc:IssueDate>", b"<cbc:IssueDay>").replace(
        b"</cbc:IssueDate>", b"</cbc:IssueDay>"
    )
    bad = caller.post("/v1/validations", raw=broken, media="application/xml")
    assert bad.json["valid"] is False
    assert bad.json["findings"]
    assert problem(caller.post("/v1/validations", raw="<a", media="application/xml")) == (422, "malformed")


def test_a_webhook_is_told_and_its_log_can_be_replayed(caller: Caller) -> None:
    made = caller.post("/v1/webhooks", {"url": "http://127.0.0.1:9/hook", "events": ["OrderReceived"]})
    assert made.status_code == 201
    assert made.json["secret"].startswith("whsec_")
    [listed] = caller.get("/v1/webhooks").json["items"]
    assert listed == {"id": made.json["id"], "url": "http://127.0.0.1:9/hook", "events": ["OrderReceived"]}
    caller.given_goods()
    caller.given_order()
    [delivery] = caller.get("/v1/webhook-deliveries").json["items"]
    assert (delivery["event"], delivery["state"]) == ("OrderReceived", "queued")
    assert json.loads(delivery["body"])["type"] == "OrderReceived"
    again = caller.post(f"/v1/webhook-deliveries/{delivery['delivery_id']}/send-again")
    assert again.status_code == 202
    assert caller.send("DELETE", f"/v1/webhooks/{made.json['id']}").status_code == 204
    assert caller.get("/v1/webhooks").json == {"items": []}
    caller.given_order("A-2")
    assert len(caller.get("/v1/webhook-deliveries").json["items"]) == 1
    assert problem(caller.send("DELETE", "/v1/webhooks/none")) == (404, "webhook")
    assert problem(caller.post("/v1/webhook-deliveries/none/send-again")) == (404, "webhook-delivery")


UNUSABLE_WEBHOOKS: list[dict[str, Any]] = [
    {"url": "ftp://x.example"},
    {"url": "https://"},
    {"url": "https://[x"},
    {"url": "https://x.example:99999"},
    {"url": "https://x.example/\n"},
    {"url": "https://x.example", "events": []},
    {"url": "https://x.example", "events": ["Nothing"]},
    {"url": "https://x.example", "events": "*"},
]


def test_a_webhook_that_cannot_work_is_refused(caller: Caller) -> None:
    for body in UNUSABLE_WEBHOOKS:
        assert problem(caller.post("/v1/webhooks", body)) == (422, "request-invalid"), body


def test_waiting_jobs_are_seen_and_parked_ones_released(caller: Caller, house: House) -> None:
    caller.given_goods()
    caller.given_order()
    [waiting] = [each for each in caller.get("/v1/jobs").json["items"] if each["kind"] == "answer"]
    assert problem(caller.post(f"/v1/jobs/{waiting['job_id']}/release")) == (404, "job")
    from gateway.clock import machine_time

    house.database.write(
        lambda c: c.execute(
            update(job).where(job.c.job_id == waiting["job_id"]).values(parked_at=machine_time())
        )
    )
    parked = caller.get("/v1/jobs").json["items"][0]
    assert (parked["job_id"], "parked_at" in parked) == (waiting["job_id"], True)
    assert caller.post(f"/v1/jobs/{waiting['job_id']}/release").status_code == 202
    assert "parked_at" not in caller.get("/v1/jobs").json["items"][0]
