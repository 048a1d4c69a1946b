"""Storages for events side by side: what they promise, what is still there after a kill or a power cut."""
