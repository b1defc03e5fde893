"""The whole night on one clock axis: its rows, and how they are arranged."""
