"""Chinese plates from pictures: localise, rectify, recognise, decode by the plates' own grammar, vote.

from devices.camera.plates.reader import PlateReader
"""
