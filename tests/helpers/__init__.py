"""Shared by the tests: files, values and stand-ins."""
