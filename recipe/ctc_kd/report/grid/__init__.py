"""The report of a grid of rows: the tables and the figure of arXiv 2506.01503."""
