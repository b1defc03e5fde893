"""Score the open night; models and their versions."""
