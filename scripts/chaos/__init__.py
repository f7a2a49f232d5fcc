"""The fault suite: clients that write all down, a nemesis, and a checker that trusts neither."""
