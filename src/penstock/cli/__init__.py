"""The command line. Each file adds its commands to `app`; what they do is the pipeline's."""

from .main import app

__all__ = ["app"]
