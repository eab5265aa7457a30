"""A student outside of the lab: its folder, and what it hears. Needs no workflow manager, RETURNN or transformers."""
