"""What is done to job folders from outside of a run: locking, removing, clearing."""
