"""Tests of the functions host; those that run functions use real apps, a real worker and Azurite."""
