#!/bin/sh
# Fetches the embedding model's weights, unless that was done for these settings and this code, and
# they are still there: checking the weights themselves would cost every start most of a second.
set -eu

done_for=.venv/.weights
asked="${DATA_DIR-} ${EMBEDDING_MODEL_PATH-} $(cat .env app/infra/embedding/*.py 2>/dev/null | cksum)"

if [ -e "$done_for" ]; then
    {
        IFS= read -r settings
        IFS= read -r folder
    } <"$done_for"
    if [ "$settings" = "$asked" ] && [ -d "$folder" ]; then
        exit
    fi
fi
rm -f "$done_for"
.venv/bin/python -m scripts.fetch_weights
folder=$(.venv/bin/python -c \
    'from core.settings import load_settings; print(load_settings().data_dir / "models")')
printf '%s\n' "$asked" "$folder" >"$done_for"
