"""Power cuts: what the database writes and syncs is recorded; each moment of it is a disk to start from."""
