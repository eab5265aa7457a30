"""A run over a graph: the manager with its states and reports, the worker, and running in this process."""
