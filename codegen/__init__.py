"""Code generation: from deck.yaml and the lists of kernel/abi/ to C, Python, docs and make."""
