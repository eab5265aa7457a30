"""Pre-training of the demo's teacher encoder on synthetic speech."""
