"""The workshop: pure functions, bytes or frame in, new frame out."""
