"""A crowd of scripted shoppers with phones, who reach the mall over HTTP through HQ as any phone does."""

from sim.crowd.run import CrowdSettings, play_crowd

__all__ = ["CrowdSettings", "play_crowd"]
