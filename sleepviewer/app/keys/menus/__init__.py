"""The rows of the key table, a module for every menu."""
