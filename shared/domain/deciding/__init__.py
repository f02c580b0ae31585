"""Champions, approvals, and the chain of decisions."""
