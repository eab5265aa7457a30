"""What the teacher's frames look like: blank coverage, spikes."""
