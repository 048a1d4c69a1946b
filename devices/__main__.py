"""`python -m devices agent --config agent.toml`: drivers beside a lane, for a box elsewhere in the store."""

from __future__ import annotations

from devices.agent.command import main

if __name__ == "__main__":
    main()
