"""Names of the Peppol BIS 3 documents we speak.

Governed by Peppol BIS Billing 3.0, BIS Order Only / Ordering 3 (transactions T01 and T76).
Only identifiers: what a document must contain is the business of its rule set.
"""

BILLING = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"
BILLING_PROCESS = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"

ORDER = "urn:fdc:peppol.eu:poacc:trns:order:3"
ORDER_RESPONSE = "urn:fdc:peppol.eu:poacc:trns:order_response:3"

DESPATCH_ADVICE = "urn:fdc:peppol.eu:poacc:trns:despatch_advice:3"
INVOICE_RESPONSE = "urn:fdc:peppol.eu:poacc:trns:invoice_response:3"
MLR = "urn:fdc:peppol.eu:poacc:trns:mlr:3"

DESPATCH_ADVICE_PROCESS = "urn:fdc:peppol.eu:poacc:bis:despatch_advice:3"
INVOICE_RESPONSE_PROCESS = "urn:fdc:peppol.eu:poacc:bis:invoice_response:3"
MLR_PROCESS = "urn:fdc:peppol.eu:poacc:bis:mlr:3"
ORDER_ONLY_PROCESS = "urn:fdc:peppol.eu:poacc:bis:order_only:3"
ORDERING_PROCESS = "urn:fdc:peppol.eu:poacc:bis:ordering:3"
ADVANCED_ORDERING_PROCESS = "urn:fdc:peppol.eu:poacc:bis:advanced_ordering:3"
