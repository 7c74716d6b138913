"""Bank files, ISO 20022 cash management: bytes -> ``o2c.statement``."""
