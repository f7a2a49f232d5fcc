"""The tools that come with the server, a file each."""
