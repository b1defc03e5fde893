"""The command table, and the keys that call its commands."""
