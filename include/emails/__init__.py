"""The letterbox: the summary mail and what fills it."""
