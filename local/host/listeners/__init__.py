"""What starts functions without a request: queues, blobs and timers."""
