"""Worlds where the answer is known: eight Gaussians, a map that can be inverted."""
