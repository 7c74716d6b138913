"""OASIS UBL 2.1: orders read, order responses and invoices written."""
