"""Runs: states, steps, budgets, limits."""
