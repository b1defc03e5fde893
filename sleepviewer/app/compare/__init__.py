"""Disagreements, comparison of models, several scorers and their consensus."""
