"""A car park in the deterministic world: booms, cameras, boards, cars and a guard outside the service."""
