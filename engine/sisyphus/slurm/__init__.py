"""Runs tasks through Slurm."""

from .engine import SlurmEngine

__all__ = ["SlurmEngine"]
