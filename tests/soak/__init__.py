"""The loop under random faults: many files, many models, and a ledger that must balance at the end."""
