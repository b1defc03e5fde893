"""Engines that turn a recording into stage probabilities."""
