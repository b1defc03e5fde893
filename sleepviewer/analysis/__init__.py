"""How well two hypnograms agree, what a night looks like in numbers, and what to review first."""
