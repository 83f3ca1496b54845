"""The checked system: frozen dataclasses with every number already worked out."""
