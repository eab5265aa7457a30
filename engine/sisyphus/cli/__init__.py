"""The command ``sis``: its options, what its commands do, and what they print."""
