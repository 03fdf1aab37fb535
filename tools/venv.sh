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

# Sourced by the run_*.sh scripts. Makes .venv with everything that they need
# and sets PYTHON to its interpreter. A later run keeps .venv unless the
# requirements have changed, or an earlier run was interrupted.

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
    echo "Python 3.11 or later is required, as python3 on the PATH or" \
        "named by \$PYTHON." >&2
    return 1
}

logged() {  # COMMAND...: the output goes to the log
    "$@" >"$CACHE/venv.log" 2>&1
}

fail() {  # MESSAGE: prints the end of the log, too
    { grep -v '^WARNING' "$CACHE/venv.log" || true; } | tail -20 >&2
    echo "$1 The whole log is $CACHE/venv.log." >&2
    exit 1
}

install() {  # WHAT PIP_ARGUMENT...: into .venv
    local what=$1
    shift
    logged "$PYTHON" -P nova_image/tests/fixtures/installer.py "$@" ||
        fail "$what could not be installed."
}

interrupted() {
    echo "Interrupted. The next run completes .venv." >&2
    exit 130
}

make_venv() {  # REQUIREMENTS_FILE...: .venv with nova_image and their packages
    local python stamp file
    python=$(find_python) || exit 1
    mkdir -p "$CACHE"
    stamp=$("$python" --version && cat requirements.txt setup.cfg)
    PYTHON=$PWD/.venv/bin/python
    exec {lock}>"$CACHE/venv.lock"
    flock "$lock"  # one script at a time
    trap interrupted INT  # pip reports Ctrl-C as an ordinary failure
    if [ "$stamp" != "$(cat .venv/stamp 2>/dev/null)" ]; then
        echo "making .venv (once) ..." >&2
        # Entry points of an older set-up would hide those of the new one.
        rm -rf .venv nova_image.egg-info
        logged "$python" -m venv .venv ||
            fail "On Debian, python3-venv may be missing."
        logged "$PYTHON" -m pip install -q uv ||
            echo "uv is not available; pip takes longer ..." >&2
        install nova_image -e .
        echo "$stamp" >.venv/stamp
    fi
    for file in "$@"; do
        if ! cmp -s "$file" ".venv/${file//\//-}"; then
            install "A package of $file" -r "$file"
            cp "$file" ".venv/${file//\//-}"
        fi
    done
    trap - INT
    exec {lock}>&-
}
