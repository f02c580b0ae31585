"""Web services made from experiments."""
