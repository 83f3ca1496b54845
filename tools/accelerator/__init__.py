"""The accelerator behind ivshmem: a server that owns the memory, a worker that computes."""
