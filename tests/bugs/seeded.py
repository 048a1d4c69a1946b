"""Bugs that somebody might write one day: each breaks one promise, and a named property must catch it.

A bug is a change to the shipped code, applied to a copy. A harness that misses one proves nothing.
"""

from __future__ import annotations

from tests.bugs.disk import DISK
from tests.bugs.goods import GOODS
from tests.bugs.lanes import LANES
from tests.bugs.money import MONEY

BUGS = (*MONEY, *GOODS, *LANES, *DISK)
