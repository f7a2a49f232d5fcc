"""What the house needs from outside, one protocol a file."""
