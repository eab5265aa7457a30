"""Pure torch, no jobs: features, SpecAugment, conformer, teacher, selection, losses, schedules."""
