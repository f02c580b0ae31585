"""Finished runs: challenger and champion on the same rows, one verdict."""
