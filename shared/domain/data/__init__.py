"""Training files: contract, ledger, rows."""
