"""What a developer runs: the scripted model server, the benchmark, set-up."""
