"""The open_resources: everything that touches disk, database or network."""
