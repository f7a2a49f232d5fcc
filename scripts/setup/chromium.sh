#!/bin/sh
# Prints where a Chromium is for the tests in a real browser; prints nothing where there is none.
# In CI as root it installs one. CHROMIUM=path names the browser to take.
set -eu

find_browser() {
    for name in ${CHROMIUM:+"$CHROMIUM"} chromium chromium-browser google-chrome-stable google-chrome; do
        if command -v "$name"; then
            return
        fi
    done
    return 1
}

if find_browser; then
    exit
fi
if [ -n "${CI:-}" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing Chromium" >&2
    { apt-get update && apt-get install --yes --no-install-recommends chromium; } >&2
    find_browser
    exit
fi
echo "No Chromium or Chrome was found, so the tests in a real browser are skipped." >&2
echo "To run them: apt-get install chromium, or CHROMIUM=path make test." >&2
