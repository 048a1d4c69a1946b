"""What the command line does beside serving, one subject a file."""
