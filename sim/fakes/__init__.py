"""In-memory implementations of the ports, under the same contract suites as the real adapters."""
