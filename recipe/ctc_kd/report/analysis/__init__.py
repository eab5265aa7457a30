"""The report on what rows do in time, and under other decoders."""
