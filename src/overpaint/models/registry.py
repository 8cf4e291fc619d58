"""The names under which settings ask for models."""

from overpaint.models.base import Translator
from overpaint.registry import Registry

MODELS: Registry[type[Translator]] = Registry("model")
