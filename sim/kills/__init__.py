"""Real kills: the service's own process ends by SIGKILL at every call by which it changes the world."""
