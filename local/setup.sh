#!/bin/sh
# Makes the virtual environment once: sh local/setup.sh PYTHON VENV local|tests
#
# A stamp in the environment names the packages it holds, by the checksum of the files that pin them. It is written
# last, so an interrupted set-up is finished by the next one.
set -eu

python=$1 venv=$2 set=$3
find_library='
import ctypes, importlib.util, pathlib, sys
home = pathlib.Path(importlib.util.find_spec("lightgbm").submodule_search_locations[0])
for library in sorted(home.glob("**/lib_lightgbm.*")):
    try:
        ctypes.CDLL(str(library))
    except OSError as error:
        sys.exit(str(error))
'

refuse() {
    printf '%s\n' "$*" >&2
    exit 1
}

python_version() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null; }

checksum() {
    cat constraints.txt requirements.txt studio/requirements.txt local/requirements.txt tests/requirements.txt |
        cksum | tr -s ' ' '-' | cut -d- -f1,2
}

# An environment that is there is kept, unless another Python was named.
suits() {
    version=$(python_version "$venv/bin/python") && [ -x "$venv/bin/pip" ] || return 1
    [ "$python" = python3 ] || [ "$(python_version "$python")" = "$version" ]
}

check_python() {
    version=$(python_version "$python") ||
        refuse "'$python' does not run: install Python 3.11 or newer, or name one, as in: make demo PYTHON=python3.12"
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        refuse "Relearn needs Python 3.11 or newer and '$python' is Python $version: name another, as in: make demo PYTHON=python3.12"
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
        refuse "'$python' cannot make virtual environments: install its venv package (Debian and Ubuntu: apt install python3-venv)"
}

make_environment() {
    echo "Making a virtual environment in $venv with Python $version"
    "$python" -m venv --clear "$venv" || refuse "'$python -m venv $venv' failed, see above: is this folder writable?"
}

install_packages() {
    echo "Installing the packages of $set/requirements.txt (once; a minute or two)"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$set/requirements.txt" ||
        refuse "The packages could not be installed, see above: check that pip reaches a package index, then run it again"
}

check_library() {
    problem=$("$venv/bin/python" -c "$find_library" 2>&1) && return
    case $problem in
    *gomp*) refuse "LightGBM needs the OpenMP runtime libgomp: install it (Debian and Ubuntu: apt install libgomp1)" ;;
    *omp*) refuse "LightGBM needs the OpenMP runtime libomp: install it (macOS: brew install libomp)" ;;
    *) refuse "LightGBM's library does not load: $problem" ;;
    esac
}

sum=$(checksum)
if suits; then
    [ -f "$venv/.tests-$sum" ] || [ -f "$venv/.$set-$sum" ] && exit 0
else
    check_python
    make_environment
fi
install_packages
check_library
touch "$venv/.$set-$sum"
