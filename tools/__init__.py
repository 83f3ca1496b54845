"""What runs on the host: the `kwe` command and its parts."""
