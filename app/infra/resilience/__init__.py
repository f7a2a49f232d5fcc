"""Keeps calls away from what is known to be down."""
