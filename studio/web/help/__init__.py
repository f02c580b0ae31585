"""The help pages of an endpoint, and their sample programs."""
