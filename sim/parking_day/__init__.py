"""A day of traffic driven through the use cases on a virtual clock, and what must hold after it."""
