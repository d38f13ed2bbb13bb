"""What a long measurement is doing, on stderr, so that stdout holds the figures alone."""

import sys
import time

EVERY_S = 5.0


class Progress:
    """Prints a line of text, but no more than one in `EVERY_S` seconds: what is short stays silent."""

    def __init__(self):
        self.started = self.told = time.monotonic()

    def __call__(self, text: str) -> None:
        """Print the text after the seconds since the start, or swallow it."""
        now = time.monotonic()
        if now - self.told >= EVERY_S:
            self.told = now
            print(f"{now - self.started:.0f} s  {text}", file=sys.stderr, flush=True)
