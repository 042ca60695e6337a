"""A whole installation on one machine, without Docker: for trying it out, for tests and for benchmarks."""
