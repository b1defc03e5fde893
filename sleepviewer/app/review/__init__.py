"""The review panel: queue, epoch, agreement, statistics and history; stage commands."""
