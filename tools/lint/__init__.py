"""`make lint` and `make fmt`: style, types, headers, include directions, size of the nucleus."""
