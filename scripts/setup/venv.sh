#!/bin/sh
# Makes .venv with the newest Python that is new enough, and puts the locked installer into it.
# A sound environment is kept. PYTHON=path names the Python to take.
set -eu

sound='import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))'

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        set -- "$PYTHON"
    else
        set -- python3.13 python3.12 python3.11 python3
    fi
    # Each is run, not only looked up: a version manager's shim may stand for nothing.
    for candidate; do
        if "$candidate" -c "$sound" 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "Python 3.11 or newer with its venv module is needed; tried: $*." >&2
    echo "On Debian or Ubuntu: apt-get install python3 python3-venv. Or say make PYTHON=path." >&2
    return 1
}

is_sound() {
    [ ! -e .venv/.making ] && .venv/bin/python -c "$sound" && .venv/bin/python -m pip --version
}

if ! is_sound >/dev/null 2>&1; then
    python=$(find_python)
    echo "Making .venv with $("$python" --version)"
    rm -rf .venv
    mkdir .venv
    touch .venv/.making
    "$python" -m venv .venv
fi
# Until the end the mark says that this was interrupted.
touch .venv/.making
.venv/bin/python -m pip install --quiet --disable-pip-version-check \
    --require-hashes -r requirements-setup.lock
rm .venv/.making
