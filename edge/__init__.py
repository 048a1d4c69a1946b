"""The service: one box for a mall's tills and gates."""
