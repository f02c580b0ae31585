"""Models measured on labelled rows."""
