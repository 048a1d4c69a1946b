"""python-escpos's printer that only collects bytes, loaded without what its loading leaves behind."""

from __future__ import annotations

import os
import shutil
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from escpos.printer import Dummy

_OWN_FOLDER = "ESCPOS_CAPABILITIES_PICKLE_DIR"


@cache
def printer_class() -> type[Dummy]:
    """Return the class, imported on first use: it takes 0.2 s and drags in its own I/O modules.

    The library keeps what it has read in a folder that it makes in /tmp at each import and never removes;
    nobody reads it again, so it goes at once, unless the environment names a folder of its own.
    """
    from escpos import capabilities
    from escpos.printer import Dummy

    if _OWN_FOLDER not in os.environ:
        shutil.rmtree(capabilities.pickle_dir, ignore_errors=True)
    return Dummy  # type: ignore[no-any-return]
