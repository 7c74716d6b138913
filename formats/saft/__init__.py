"""Tax files: SAF-T Norway Financial, written from and checked against the receivables ledger."""
