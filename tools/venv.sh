# shellcheck shell=bash
#    Licensed under the Apache License, Version 2.0 (the "License"); you may
#    not use this file except in compliance with the License. You may obtain
#    a copy of the License at
#
#         http://www.apache.org/licenses/LICENSE-2.0
#
#    Unless required by applicable law or agreed to in writing, software
#    distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
#    WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
#    License for the specific language governing permissions and limitations
#    under the License.

# Sourced by the run_*.sh scripts. Makes .venv with all that they need, once,
# and sets PYTHON to its interpreter. Made anew when the requirements change.

CACHE=${NOVA_IMAGE_CACHE:-$PWD/.cache}

find_python() {
    local candidate
    for candidate in ${PYTHON:-} python3 python3.14 python3.13 python3.12 \
        python3.11; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
            2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "Python 3.11 or later is needed, as python3 on the PATH or" \
        "named by \$PYTHON." >&2
    return 1
}

install() {  # WHAT PIP_ARGUMENT...: into .venv; the log's end if it fails
    local log=$CACHE/venv.log what=$1
    shift
    if ! "$PYTHON" -m pip install -q "$@" >"$log" 2>&1; then
        grep -v '^WARNING' "$log" | tail -20 >&2
        echo "$what could not be installed; the whole log is $log." >&2
        exit 1
    fi
}

make_venv() {  # REQUIREMENTS_FILE...: .venv with nova_image and these
    local python stamp file
    python=$(find_python) || exit 1
    mkdir -p "$CACHE"
    stamp=$("$python" --version && cat requirements.txt setup.cfg)
    PYTHON=$PWD/.venv/bin/python
    exec {lock}>"$CACHE/venv.lock"
    flock "$lock"  # two scripts at once would make it over each other
    if [ "$stamp" != "$(cat .venv/stamp 2>/dev/null)" ]; then
        echo "making .venv (once, about 30 s) ..." >&2
        # What is left of an older set-up would hide its entry points.
        rm -rf .venv nova_image.egg-info
        if ! "$python" -m venv .venv; then
            echo "On Debian, python3-venv may be missing." >&2
            exit 1
        fi
        install nova_image -e .
        echo "$stamp" >.venv/stamp
    fi
    for file in "$@"; do
        if ! cmp -s "$file" ".venv/${file//\//-}"; then
            install "What $file names" -r "$file"
            cp "$file" ".venv/${file//\//-}"
        fi
    done
    exec {lock}>&-
}
