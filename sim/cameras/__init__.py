"""Simulated plate cameras: each speaks its maker's own HTTP, written from the makers' documents alone."""
