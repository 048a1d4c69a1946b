"""The deterministic world: one thread, virtual time, a service that dies on command, what must hold."""
