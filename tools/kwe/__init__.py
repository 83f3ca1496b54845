"""The `kwe` command: build parts, run workflows on the machine, look at what happened."""
