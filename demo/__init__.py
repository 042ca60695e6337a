"""A whole installation on one machine, without Docker, to try the project out. Tests and benchmarks use its parts."""
