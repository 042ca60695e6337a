"""The texts that are sent to people: the summary of a run, a late feed, the question about a held import."""
