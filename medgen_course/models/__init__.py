"""One algorithm per file, read from top to bottom: networks, objective, one update step."""
