"""Which jobs were begun, on disk, so that a job whose process was killed is not printed again."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

from devices.types import PrintOutcome

KEPT_JOBS = 500


class JobJournal:
    """One line of JSON per step, on disk before it counts; remembers the last 500 jobs.

    A job that was begun and has no end is UNCERTAIN. Without a path it remembers until the process ends.
    Not thread safe. Raises OSError when the file cannot be read or written.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._jobs: dict[str, PrintOutcome] = {}
        if path is not None and path.exists():
            self._load(path)
            # Only tidying: on a full disk the longer file stays.
            with contextlib.suppress(OSError):
                self._rewrite(path)

    def outcome(self, job_id: str) -> PrintOutcome | None:
        """Return what is known of a job; None when it may be sent."""
        return self._jobs.get(job_id)

    def note(self, job_id: str, outcome: PrintOutcome) -> None:
        """Write down a job's state; UNCERTAIN before its first byte goes out, NOT_STARTED forgets it."""
        if self._path is not None:
            self._append(self._path, job_id, outcome)
        self._remember(job_id, outcome)

    def _remember(self, job_id: str, outcome: PrintOutcome) -> None:
        self._jobs.pop(job_id, None)
        if outcome is not PrintOutcome.NOT_STARTED:
            self._jobs[job_id] = outcome
        while len(self._jobs) > KEPT_JOBS:
            self._jobs.pop(next(iter(self._jobs)))

    def _load(self, path: Path) -> None:
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                job_id, outcome = json.loads(line)
                self._remember(str(job_id), PrintOutcome(outcome))
            except (ValueError, TypeError):
                continue  # a line that a power cut tore; the job before it is whole

    def _rewrite(self, path: Path) -> None:
        fresh = path.with_suffix(".new")
        with fresh.open("w", encoding="utf-8") as file:
            for job_id, outcome in self._jobs.items():
                file.write(json.dumps([job_id, outcome.value]) + "\n")
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)

    def _append(self, path: Path, job_id: str, outcome: PrintOutcome) -> None:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps([job_id, outcome.value]) + "\n")
            file.flush()
            os.fsync(file.fileno())
