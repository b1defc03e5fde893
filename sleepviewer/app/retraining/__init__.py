"""Fine-tune a model on corrected nights."""
