"""The folder that nodes of the rig have as TOOLS_DIR."""
