"""Score folders of nights in the background."""
