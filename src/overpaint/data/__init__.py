"""Pictures for training: where they are, how they are cropped, in which order they come."""
