#!/bin/sh
# Installs what a lock file names into .venv.
# usage: install.sh requirements.lock
set -eu

# To the installer a package that was linked half looks whole.
again=
if [ -e .venv/.installing ]; then
    again=--reinstall
fi
touch .venv/.installing
.venv/bin/python -m uv pip install --quiet --python .venv/bin/python --compile-bytecode \
    --require-hashes $again -r "$1"
rm .venv/.installing
