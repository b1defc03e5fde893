"""AttnSleep's parts, the network built from them, and its checkpoints."""
