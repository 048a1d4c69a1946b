"""A phone with WeChat around the mini-program, as a page; it speaks to the mall over HTTP alone."""

from sim.phone.server import PhoneServer, PhoneSettings

__all__ = ["PhoneServer", "PhoneSettings"]
