"""What the teacher's frames look like (blank coverage, spikes), and how a student's differ from them."""
