"""The command line: `python -m sim COMMAND`. Each command is described in docs/operations/commands.md."""

from sim.cli import devices, mall, proof, services
from sim.cli.group import main

__all__ = ["devices", "main", "mall", "proof", "services"]
