"""Figures about translated pictures; they take tensors and know no model."""
