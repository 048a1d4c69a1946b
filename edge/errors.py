"""What can go wrong, sorted by what the caller may do next.

A message says what happened, to which id, and what to do. A time-out is never `Declined`.
"""


class EdgeError(Exception):
    """Root of every error that this service raises on purpose."""


class Declined(EdgeError):
    """The other side refused for good; nothing happened there. Offer another way."""


class Unavailable(EdgeError):
    """Nothing happened and nothing was accepted; the same call may be tried again later."""


class OutcomeUnknown(EdgeError):
    """It may or may not have happened. Ask by our own reference; never guess, never repeat blindly."""


class Invalid(EdgeError):
    """The caller's input cannot be used. The message names the field and the remedy."""


class Corrupt(EdgeError):
    """Stored state contradicts itself. Stop this operation and call a person."""
