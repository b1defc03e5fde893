"""A simulated night: hypnogram and signals with what a scorer looks for, deterministic by seed."""
