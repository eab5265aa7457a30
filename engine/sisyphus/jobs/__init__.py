"""The parts of `Job`: its folder, its state, its options, and what the settings say of another try."""
