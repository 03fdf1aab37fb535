#!/usr/bin/env bash
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

# Runs the tests: all of them, or the kinds that are named. Everything that
# they need is installed into .venv and .cache of this clone.

set -uo pipefail
cd "$(dirname "$0")" || exit 1
# shellcheck source=tools/venv.sh
. tools/venv.sh

DEFAULT=(style unit py27 functional drill)
KINDS=("${DEFAULT[@]}" gate legacy)

usage() {
    cat <<TXT
Usage: ./run_tests.sh [KIND ...]

Without a KIND the first five of these run, in this order:
  style       flake8 with hacking, ruff, bandit, shellcheck, licence headers,
              documentation and release notes built without warnings
  unit        unit tests on this Python (3.11 or later)
  py27        the same on Python 2.7, if there is one
  functional  against real servers on 127.0.0.1: Glance 33, Glance 15 with v1
              and v2 (needs a Python 2.7), Keystone 30, Barbican 23, Ceph 16
              (Debian and root); transfers with 660 seeded faults
  drill       removes the v1 driver from a copy of the tree and tests the rest
  gate        a whole cloud of Nova 34 with libvirt and a Glance that serves v2
              alone, its services with the drivers loaded; Nova's own image
              tests on a real Glance; needs Debian and root, who has missing
              packages installed
  legacy      Nova 15 on Python 2.7 with Glance 15, through v1 and through v2;
              needs the same, and a Python 2.7
TXT
}

passed=0 failed=0 skipped=0

count() {  # PASSED FAILED SKIPPED
    passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
}

check() {  # NAME COMMAND...: one check of the style run
    local name=$1
    shift
    if "$@"; then
        echo "ok      $name"
        count 1 0 0
    else
        echo "FAILED  $name"
        count 0 1 0
    fi
}

stestr_run() {  # NAME PYTHON PATH OPTION...: runs tests, counts its summary
    local log=$CACHE/stestr-$1.log
    mkdir -p "$CACHE/stestr/$1"
    [ -d "$CACHE/stestr/$1/.stestr" ] ||
        "$2" -m stestr --repo-url "$CACHE/stestr/$1" init
    OS_TEST_PATH=$3 PYTHONWARNINGS=${PYTHONWARNINGS:-ignore} "$2" -m stestr \
        --repo-url "$CACHE/stestr/$1" run "${@:4}" 2>&1 | tee "$log"
    local status=${PIPESTATUS[0]}
    # shellcheck disable=SC2046
    count $(awk '/^ - Passed:/ {p = $3} /^ - Failed:/ {f = $3}
        /^ - Skipped:/ {s = $3} /^ - Unexpected/ {u = $4}
        END {print p + 0, f + u, s + 0}' "$log")
    if [ "$status" != 0 ] && ! grep -q '^ - Failed: [1-9]' "$log"; then
        echo "FAILED  $1: the runner itself"
        count 0 1 0
    fi
}

licence_headers() {
    local bare
    bare=$(git ls-files '*.py' '*.sh' '.ci/run' | xargs grep -L \
        'Licensed under the Apache License, Version 2.0')
    [ -z "$bare" ] || { echo "no licence header: $bare"; return 1; }
}

shell_scripts() {
    local scripts
    mapfile -t scripts < <(git ls-files '*.sh' '.ci/run' devstack/settings)
    "$BIN/bashate" -i E005,E006 "${scripts[@]}" &&
        "$BIN/shellcheck" -x -s bash "${scripts[@]}"
}

sphinx() {  # BUILDER SOURCE TARGET
    "$PYTHON" -m sphinx -q -W --keep-going -b "$1" "$2" "$CACHE/docs/$3"
}

run_style() {
    check 'flake8 with hacking' "$PYTHON" -m flake8
    check ruff "$BIN/ruff" check -q
    check bandit "$PYTHON" -m bandit -q -r nova_image -x nova_image/tests
    check 'shell scripts' shell_scripts
    check 'licence headers' licence_headers
    check 'release notes' "$BIN/reno" -q lint
    check 'documentation builds' sphinx html doc/source docs
    check 'man page builds' sphinx man doc/source man
    check 'release notes build' sphinx html releasenotes/source notes
}

run_unit() {
    stestr_run unit "$PYTHON" ./nova_image/tests/unit --concurrency 2
}

run_py27() {
    local python
    if ! python=$("$PYTHON" -m tools.py27_venv); then
        skip_loudly 'the unit tests on Python 2.7' "$python"
        return
    fi
    stestr_run py27 "$python" ./nova_image/tests/unit --concurrency 2
}

run_functional() {
    "$PYTHON" -m tools.py27_venv --check ||
        skip_loudly 'the tests against Glance 15 with v1' ''
    stestr_run functional "$PYTHON" ./nova_image/tests/functional --concurrency 2
}

run_gate() {
    stestr_run gate "$PYTHON" ./nova_image/tests/gate \
        --worker-file tools/gate_workers.yaml
}

run_legacy() {
    stestr_run legacy "$PYTHON" ./nova_image/tests/legacy --concurrency 1
}

skip_loudly() {  # WHAT
    echo "SKIPPED $1: there is no python2.7 on the PATH or under pyenv"
    count 0 0 1
}

run_drill() {
    check 'removal of the v1 driver' tools/removal_drill.sh "$PYTHON"
}

main() {
    local kind kinds=("$@")
    [ $# -gt 0 ] || kinds=("${DEFAULT[@]}")
    for kind in "${kinds[@]}"; do
        case $kind in
            -h | --help) usage && exit ;;
        esac
        if [[ ! " ${KINDS[*]} " == *" $kind "* ]]; then
            echo "There is no kind of tests called $kind." >&2
            usage >&2
            exit 2
        fi
    done
    make_venv test-requirements.txt
    BIN=$(dirname "$PYTHON")
    for kind in "${kinds[@]}"; do
        printf '\n== %s\n' "$kind"
        "run_$kind"
    done
    printf '\n%d passed, %d failed, %d skipped\n' \
        "$passed" "$failed" "$skipped"
    [ "$failed" = 0 ] && [ "$passed" -gt 0 ]
}

main "$@"
