"""Training: one loop, cross-validation by subjects, and what came out of it."""
