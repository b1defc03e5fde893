"""The page of traces: its layout, what is painted on it, and the hands that work on it."""
