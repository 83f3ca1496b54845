"""The YAML language: what may stand where, with the line of every mistake."""
