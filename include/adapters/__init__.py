"""The doors: everything that touches disk, database or network."""
