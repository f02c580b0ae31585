"""Training files: from arrival to a run's training set."""
