"""Those who play in the deterministic world: each has an aim, acts on what it sees, outlives every crash."""
