"""A night on disk: channels at their own rates, read lazily in microvolts; channel roles; gaps."""
