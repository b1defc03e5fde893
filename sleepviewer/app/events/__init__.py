"""Events: mark, edit, suggest, list and export them."""
