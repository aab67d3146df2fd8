"""Where rollups are kept: a module per store, each with `Store`."""
