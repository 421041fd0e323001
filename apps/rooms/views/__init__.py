from . import guest, host, join

__all__ = ["guest", "host", "join"]
