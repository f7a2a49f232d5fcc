#!/bin/sh
# Runs a command in web/ with Node.js on PATH: the machine's own where it is new enough for the
# build, else one from the package index, locked and installed into .venv.
# usage: node.sh npm ci
set -eu

# What Vite states it needs.
new_enough='const [major, minor] = process.versions.node.split(".").map(Number);
    process.exit(major > 22 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19) ? 0 : 1)'

if ! command -v npm >/dev/null 2>&1 || ! node -e "$new_enough" 2>/dev/null; then
    PATH="$PWD/.venv/bin:$PATH"
    export PATH
    if ! node -e "$new_enough" 2>/dev/null; then
        echo "Installing Node.js into .venv"
        sh scripts/setup/install.sh requirements-node.lock
    fi
fi
cd web
exec "$@"
