"""How tests wait: for what must come, and never for a number of seconds that a busy machine misses."""

import time

PATIENCE = 600
"""Seconds after which something that must come counts as hanging. No test measures time."""


def wait_until(condition, what="what was waited for"):
    """The first true value of ``condition()``."""
    end = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < end, f"{what} did not come"
        time.sleep(0.02)
    return found
