"""
Which gate is worth having: rival rules and ours over the same retrains of real models.

Nothing of the loop is measured here, only verdicts. The rules are those that other systems ship
(docs/gate-comparison.md).
"""
