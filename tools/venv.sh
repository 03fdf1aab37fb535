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

make_venv() {
    local python stamp log=$CACHE/venv.log
    python=$(find_python) || exit 1
    mkdir -p "$CACHE"
    stamp=$("$python" --version
        cat requirements.txt test-requirements.txt setup.cfg)
    PYTHON=$PWD/.venv/bin/python
    if [ "$stamp" = "$(cat .venv/stamp 2>/dev/null)" ]; then
        return
    fi
    echo "making .venv with what setup.cfg and the requirements name" \
        "(once, about 40 s) ..." >&2
    rm -rf .venv
    if ! { "$python" -m venv .venv && "$PYTHON" -m pip install -q -e . \
        -r test-requirements.txt; } >"$log" 2>&1; then
        grep -v '^WARNING' "$log" | tail -20 >&2
        echo "The virtualenv could not be made; the whole log is $log." \
            "On Debian, python3-venv may be missing." >&2
        exit 1
    fi
    echo "$stamp" >.venv/stamp
}
