"""One module per output; each says which files there are and what its template is given."""
