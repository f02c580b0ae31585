"""Measures Relearn beside the programs that people use for the same work, in the same run: `make bench`."""
