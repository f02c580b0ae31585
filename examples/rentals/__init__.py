"""Bicycle rentals: experiments of several classes and of a number, and a generator of synthetic rows."""
