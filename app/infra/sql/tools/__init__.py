"""What agents do besides talking: calls on record, questions to people, notes, spending."""
