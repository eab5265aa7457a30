"""Rows of the tables as job chains: presets, rows, published numbers."""
