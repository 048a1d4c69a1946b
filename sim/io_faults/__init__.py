"""I/O errors: the k-th call that SQLite makes to the kernel fails, once or until the disk is repaired."""
