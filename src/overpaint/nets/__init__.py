"""Generators and discriminators: plain modules with keyword arguments that know no loss.

A generator has ``multiple``, the number by which both sides of its input must divide, and ``smallest``, the least they can be.
"""

from overpaint.nets import patchgan, resnet, seed, unet
from overpaint.nets.registry import DISCRIMINATORS, GENERATORS

__all__ = ["DISCRIMINATORS", "GENERATORS", "patchgan", "resnet", "seed", "unet"]
