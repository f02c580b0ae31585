#!/bin/sh
# Installs checkov into an environment of its own, once: sh infra/checks/checkov.sh PYTHON FOLDER
set -eu
python=$1 folder=$2
wanted=infra/checks/checkov-requirements.txt
if ! cmp -s "$wanted" "$folder/installed.txt"; then
    echo "Installing checkov into $folder (once; a minute)"
    "$python" -m venv --clear "$folder"
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check -r "$wanted"
    cp "$wanted" "$folder/installed.txt"
fi
