"""What all tests share: properties that are searched the same way every time.

A run must not fail by chance, so examples are drawn from a fixed seed here; MALL_EDGE_FUZZ=1 searches
anew each time, and what it finds becomes an @example.
"""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("fixed", derandomize=True, deadline=None)
settings.register_profile("search", deadline=None)
settings.load_profile("search" if os.environ.get("MALL_EDGE_FUZZ") else "fixed")
