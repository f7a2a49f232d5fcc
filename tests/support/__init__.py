"""Things that tests need: servers, files, scripted parts."""
