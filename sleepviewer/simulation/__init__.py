"""Simulated nights that look and behave like recorded ones: for the demo, and for tests without data.

:func:`simulate_night` writes one; :func:`simulate_hypnogram` and :func:`simulate_signals` are its two halves.
"""

from sleepviewer.simulation.hypnogram import simulate_hypnogram
from sleepviewer.simulation.night import DEFAULT_START, SimulatedNight, simulate_night
from sleepviewer.simulation.signals import simulate_signals

__all__ = ["DEFAULT_START", "SimulatedNight", "simulate_hypnogram", "simulate_night", "simulate_signals"]
