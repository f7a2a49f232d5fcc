"""A stand-in for a model's server: real HTTP, the OpenAI streaming protocol, faults on request."""
