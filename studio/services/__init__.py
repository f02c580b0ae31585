"""Web services and their endpoints: what is published, and how it changes."""
