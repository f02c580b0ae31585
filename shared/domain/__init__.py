"""Records and pure rules: equal arguments give equal answers; time, settings and randomness come in as arguments."""
