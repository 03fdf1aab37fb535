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

# Runs all tests, or the named kinds of tests. Installs everything that they
# need into .venv and .cache of this clone.

set -uo pipefail
cd "$(dirname "$0")" || exit 1
# shellcheck source=tools/venv.sh
. tools/venv.sh

DEFAULT=(style unit py27 pythons functional drill)
KINDS=("${DEFAULT[@]}" lowest gate legacy novas chaos cover)
# Per cent of lines and branches: of nova_image, of each module of nova_image.cmd.
MINIMUM=(95 90)
# The kinds that run with stestr and accept its options.
WITH_STESTR=(unit py27 pythons lowest functional gate legacy novas chaos)
# The Pythons of the kind "pythons": the oldest and the newest.
PYTHONS=${NOVA_IMAGE_PYTHONS:-3.9 3.13}
LOWEST=${NOVA_IMAGE_PYTHONS:-2.7 3.9 3.10 3.11 3.12 3.13}

usage() {
    cat <<TXT
Usage: ./run_tests.sh [KIND ...]
       ./run_tests.sh [OPTION ...] KIND ... [-- FILTER ...]

Without a KIND the first six of these run, in this order:
  style       flake8 with hacking, ruff, bandit, mypy, shellcheck, licence
              headers, plain English, Python 2.4 in the code for dom0 and 3.9
              elsewhere, documentation and release notes without warnings,
              packages built without a network and their contents
  unit        unit tests on this Python (3.11 or later)
  py27        the same on Python 2.7, if available
  pythons     the same on other versions of Python 3, if available: $PYTHONS;
              \$NOVA_IMAGE_PYTHONS names others, such as '3.10 3.12'
  functional  against real servers on 127.0.0.1: Glance 33, Glance 15 with v1
              and v2 (needs Python 2.7), Keystone 30, Barbican 23, Ceph 16
              (needs Debian and root); transfers with 660 seeded faults
  drill       removes the v1 driver from a copy of the tree and tests the rest
These run only by name:
  lowest      unit tests with the lowest versions that the requirements allow,
              on each of these Pythons: $LOWEST
  gate        a whole cloud of Nova 34 with libvirt and a Glance that serves
              only v2, its services with the drivers loaded; Nova's own image
              tests on a real Glance; needs Debian and root, and installs
              missing packages
  legacy      Nova 15 on Python 2.7 with Glance 15, through v1 and through v2;
              needs the same, and Python 2.7
  novas       nova-api and nova-compute of Nova 15, 25, 27, 29, 31, 33 and 34,
              each on another Python, with eventlet and with threads, with the
              drivers loaded and a real Glance; needs the Pythons 2.7 and 3.9
              to 3.13, and skips the releases whose Python is missing
  chaos       50 replications between real Glances, with servers and commands
              killed and connections cut on the way; takes 25 minutes or more
  cover       unit and functional, with the coverage of branches; fails below
              ${MINIMUM[0]} % of nova_image or ${MINIMUM[1]} % of a module of its command line

Options for ${WITH_STESTR[*]}:
  --failing        run only the tests that failed last time
  --slowest        list the slowest tests at the end
  --until-failure  repeat the tests until one fails
  -- FILTER ...    run only the tests whose names match one of these regular
                   expressions; everything after -- goes to "stestr run"

Example: ./run_tests.sh functional -- test_cli.ListTest
TXT
}

passed=0 failed=0 skipped=0 interrupted=0 failures=()

count() {  # PASSED FAILED SKIPPED
    passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
}

check() {  # NAME COMMAND...: one check of the style run
    local name=$1
    shift
    "$@" 2>&1 | tee -i "$CACHE/check.log"
    if [ "${PIPESTATUS[0]}" = 0 ]; then
        echo "ok      $name"
        count 1 0 0
    else
        echo "FAILED  $name"
        count 0 1 0
        failures+=("$name:"$'\n'"$(tail -n 12 "$CACHE/check.log" |
            sed 's/^/    /')")
    fi
}

# How to start stestr, and its options from the command line.
STESTR=(-m stestr)
OPTIONS=()

stestr_run() {  # NAME PYTHON PATH OPTION...: runs tests, adds up the results
    local log=$CACHE/stestr-$1.log
    mkdir -p "$CACHE/stestr/$1"
    [ -d "$CACHE/stestr/$1/.stestr" ] ||
        "$2" -m stestr --repo-url "$CACHE/stestr/$1" init
    OS_TEST_PATH=$3 PYTHONWARNINGS=${PYTHONWARNINGS:-ignore} "$2" \
        "${STESTR[@]}" --repo-url "$CACHE/stestr/$1" run "${@:4}" \
        ${OPTIONS[@]+"${OPTIONS[@]}"} 2>&1 | tee -i "$log"
    local status=${PIPESTATUS[0]}
    # shellcheck disable=SC2046
    count $(awk '/^ - Passed:/ {p = $3} /^ - Failed:/ {f = $3}
        /^ - Skipped:/ {s = $3} /^ - Unexpected/ {u = $4}
        END {print p + 0, f + u, s + 0}' "$log")
    local failed_here
    failed_here=$(awk -f tools/failed_tests.awk "$log")
    [ -z "$failed_here" ] || failures+=("$1:"$'\n'"$failed_here")
    if [ "$interrupted" = 1 ] || [ "$status" = 0 ]; then
        return
    elif grep -q "^The specified regex doesn't match" "$log"; then
        printf '\nNo test of %s to run: %s\n' "$1" "${OPTIONS[*]}"
    elif ! grep -q '^ - Failed: [1-9]' "$log"; then
        echo "FAILED  $1: the runner itself"
        count 0 1 0
        failures+=("$1: the runner itself")
    fi
}

sphinx() {  # BUILDER SOURCE TARGET OPTION...
    "$PYTHON" -m sphinx -q -W --keep-going -b "$1" "${@:4}" \
        "$2" "$CACHE/docs/$3"
}

run_style() {
    check 'flake8 with hacking' "$PYTHON" -m flake8
    check ruff "$BIN/ruff" check -q
    check bandit "$PYTHON" -m bandit -q -r nova_image -x nova_image/tests
    check mypy "$PYTHON" -m mypy
    check stubs "$PYTHON" -m tools.stubs
    check 'Python 2.4 for dom0' "$PYTHON" -m tools.python24
    check 'Python 3.9' "$PYTHON" -m tools.python39
    check 'shell scripts' tools/check_shell.sh
    check 'licence headers' tools/check_licence.sh
    check 'plain English' "$PYTHON" -m tools.prose
    check 'release notes' "$BIN/reno" -q lint
    check 'documentation builds' sphinx html doc/source docs
    check 'man page builds' sphinx man doc/source man
    # -E: reno's directive does not report that a note has changed.
    check 'release notes build' sphinx html releasenotes/source notes -E
    check 'packages and their contents' "$PYTHON" -m tools.check_package
}

run_unit() {
    stestr_run unit "$PYTHON" ./nova_image/tests/unit --concurrency 2
}

run_py27() {
    run_unit_on 2.7 py27
}

run_pythons() {
    local version own
    own=$("$PYTHON" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    for version in $PYTHONS; do
        if [ "$version" = "$own" ]; then
            echo "On Python $version, the kind \"unit\" runs these tests."
        else
            run_unit_on "$version" "py$version"
        fi
        [ "$interrupted" = 0 ] || break
    done
}

run_lowest() {
    local version
    for version in $LOWEST; do
        run_unit_on "$version" "lowest-py$version" --lowest
        [ "$interrupted" = 0 ] || break
    done
}

run_unit_on() {  # VERSION NAME [OPTION]: the unit tests on another Python
    local python
    if ! "$PYTHON" -m tools.unit_venv --check "$1"; then
        skip_loudly "the unit tests on Python $1" "$1"
    elif ! python=$("$PYTHON" -m tools.unit_venv "${@:3}" "$1"); then
        check "virtualenv of Python $1" false
    else
        # The .pyc files of Python 2.7 would outlive their modules, and break
        # Python 3's imports.
        PYTHONDONTWRITEBYTECODE=1 \
            stestr_run "$2" "$python" ./nova_image/tests/unit --concurrency 2
    fi
}

run_functional() {
    "$PYTHON" -m tools.unit_venv --check 2.7 ||
        skip_loudly 'the tests against Glance 15 with v1' 2.7
    stestr_run functional "$PYTHON" ./nova_image/tests/functional --concurrency 2
}

run_gate() {
    stestr_run gate "$PYTHON" ./nova_image/tests/gate \
        --worker-file tools/gate_workers.yaml
}

run_legacy() {
    stestr_run legacy "$PYTHON" ./nova_image/tests/legacy --concurrency 1
}

run_novas() {
    stestr_run novas "$PYTHON" ./nova_image/tests/novas --concurrency 1
    echo "The results for the page of compatibility, which" \
        "\"python -m tools.compatibility\" writes," \
        "are in $CACHE/novas/runs.jsonl."
}

run_chaos() {
    rm -f "$CACHE/chaos/figures.jsonl"
    stestr_run chaos "$PYTHON" ./nova_image/tests/chaos --concurrency 1
    [ ! -f "$CACHE/chaos/figures.jsonl" ] || [ "$interrupted" = 1 ] ||
        check 'each kind of disaster' "$PYTHON" \
            -m nova_image.tests.chaos.summary "$CACHE/chaos/figures.jsonl"
    echo "What happened in each run is in $CACHE/chaos/figures.jsonl."
}

run_cover() {
    export COVERAGE_FILE=$CACHE/coverage/data
    rm -rf "$CACHE/coverage"
    mkdir -p "$CACHE/coverage"
    STESTR=(-m coverage run -m stestr)
    run_unit
    run_functional
    STESTR=(-m stestr)
    "$PYTHON" -m coverage combine -q &&
        "$PYTHON" -m coverage html -q -d "$CACHE/coverage/html"
    check "coverage of nova_image, ${MINIMUM[0]} %" \
        "$PYTHON" -m coverage report --fail-under "${MINIMUM[0]}"
    check "coverage of each module of its command line, ${MINIMUM[1]} %" \
        covered_modules
    echo "The report with the sources is $CACHE/coverage/html/index.html."
    unset COVERAGE_FILE
}

covered_modules() {
    local module below=0
    for module in nova_image/cmd/*.py; do
        "$PYTHON" -m coverage report --include "$module" \
            --fail-under "${MINIMUM[1]}" >/dev/null ||
            { echo "too little is covered: $module"; below=1; }
    done
    return "$below"
}

skip_loudly() {  # WHAT VERSION
    echo "SKIPPED $1: there is no python$2 on the PATH or under pyenv"
    count 0 0 1
}

run_drill() {
    check 'removal of the v1 driver' tools/removal_drill.sh "$PYTHON"
}

list_failures() {  # prints them, and keeps them for .ci/run
    printf '%s\n' ${failures[@]+"${failures[@]}"} >"$CACHE/failures.txt"
    [ ${#failures[@]} = 0 ] || { printf '\nFailed:\n'
        sed 's/^/  /' "$CACHE/failures.txt"; }
}

misuse() {  # PROBLEM: prints it and exits
    echo "$1 See ./run_tests.sh --help." >&2
    exit 2
}

kinds=()
parse() {  # ARGUMENT...: sets kinds and OPTIONS
    while [ $# -gt 0 ]; do
        case $1 in
            -h | --help) usage && exit ;;
            --failing | --slowest | --until-failure) OPTIONS+=("$1") ;;
            --)
                [ $# -gt 1 ] || misuse 'A filter must follow --.'
                OPTIONS+=("${@:2}")
                break
                ;;
            -*) misuse "Unknown option: $1." ;;
            *)
                [[ " ${KINDS[*]} " == *" $1 "* ]] ||
                    misuse "Unknown kind of tests: $1."
                kinds+=("$1")
                ;;
        esac
        shift
    done
    [ ${#OPTIONS[@]} = 0 ] || require_stestr "${kinds[@]}"
    [ ${#kinds[@]} -gt 0 ] || kinds=("${DEFAULT[@]}")
}

require_stestr() {  # KIND...: rejects kinds that have no options
    [ $# -gt 0 ] || misuse 'Options and filters require a kind of tests.'
    local kind
    for kind in "$@"; do
        [[ " ${WITH_STESTR[*]} " == *" $kind "* ]] ||
            misuse "Options and filters do not apply to $kind."
    done
}

require_regexes() {  # FILTER...
    "$PYTHON" -c 'import re, sys; [re.compile(arg) for arg in sys.argv[1:]]' \
        "$@" 2>/dev/null || misuse "Not a regular expression: $*."
}

main() {
    local kind
    parse "$@"
    make_venv test-requirements.txt test-requirements-py27.txt
    require_regexes ${OPTIONS[@]+"${OPTIONS[@]}"}
    BIN=$(dirname "$PYTHON")
    PATH=$BIN:$PATH
    # Ctrl-C ends the tests, and "--until-failure" of tests that pass.
    trap 'interrupted=1' INT
    for kind in "${kinds[@]}"; do
        printf '\n== %s\n' "$kind"
        "run_$kind"
        [ "$interrupted" = 0 ] || break
    done
    list_failures
    printf '\n%d passed, %d failed, %d skipped\n' \
        "$passed" "$failed" "$skipped"
    [ "$interrupted" = 0 ] || exit 130
    [ "$failed" = 0 ] && [ "$passed" -gt 0 ]
}

main "$@"
