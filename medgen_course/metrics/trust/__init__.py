"""Whether to trust a model: what it remembers of whom, how it is fooled, and why it says what it says."""
