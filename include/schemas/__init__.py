"""Rules: what a row, a table and a feed may look like."""
