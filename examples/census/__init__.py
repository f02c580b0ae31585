"""Census Model: the experiment, a generator of synthetic rows, and the files that the demonstration drops."""
