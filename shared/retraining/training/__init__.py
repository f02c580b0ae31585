"""Runs at the training service: admitted, submitted, polled, stepped in on."""
