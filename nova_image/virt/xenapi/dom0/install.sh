#!/bin/sh
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

# Installs the plugin nova_image_glance in the dom0 of a XenServer, next to
# the stock plugins. The plugin has to be in the folder of this script.

set -eu

NAME=nova_image_glance
plugins=/etc/xapi.d/plugins
python=
action=install
force=

usage() {
    cat <<TXT
Usage: install.sh [--check | --uninstall] [--force] [--plugins FOLDER]
                  [--python PYTHON]

  --check      report which version is installed; exit code 1 if it is not
               the one in the folder of this script
  --uninstall  remove the plugin
  --force      install even if a newer version is installed
  --plugins    the folder of xapi's plugins, $plugins by default
  --python     the interpreter, otherwise the first of python, python2 and
               python3 that dom0 has
TXT
}

fail() {  # PROBLEM
    echo "install.sh: $1" >&2
    exit "${2:-1}"
}

find_python() {  # prints the path of an interpreter
    for one in ${python:-python python2 python3}; do
        command -v "$one" && return
    done
    fail "there is no Python; name one with --python"
}

version_of() {  # FILE: prints the version of a plugin; nothing if there is none
    [ ! -f "$1" ] || "$interpreter" "$1" --version 2>/dev/null || echo unknown
}

is_newer() {  # VERSION OTHER
    [ "$1" != "$2" ] && [ "$1" != unknown ] && [ "$(printf '%s\n%s\n' "$1" "$2" |
        sort -t . -k 1,1n -k 2,2n | tail -n 1)" = "$1" ]
}

require_programs() {  # what the plugin runs
    PATH=$PATH:/usr/sbin:/usr/bin:/sbin:/bin
    for one in tar gzip vhd-util; do
        command -v "$one" >/dev/null || fail "dom0 has no $one"
    done
}

warn_about_https() {
    "$interpreter" -c 'import ssl; ssl.create_default_context' 2>/dev/null ||
        echo 'This Python cannot verify certificates: see "HTTPS" in the' \
            'documentation of nova_image for XenServer.'
}

put() {  # NAME: writes the plugin under a name, in one step
    new=$plugins/.$1.new
    trap 'rm -f "$new"' EXIT
    { echo "#!$interpreter"; tail -n +2 "$source"; } >"$new"
    chmod 755 "$new"
    mv -f "$new" "$plugins/$1"
    trap - EXIT
}

install_plugin() {
    require_programs
    wanted=$(version_of "$source")
    [ "$wanted" != unknown ] || fail "$interpreter cannot run the plugin"
    found=$(version_of "$plugins/$NAME.py")
    if [ -n "$found" ] && is_newer "$found" "$wanted" && [ -z "$force" ]; then
        fail "version $found is installed, which is newer than $wanted"
    fi
    # Releases of XenServer before 7 name plugins without a suffix.
    put $NAME.py
    put $NAME
    [ "$(version_of "$plugins/$NAME.py")" = "$wanted" ] ||
        fail "the plugin does not run in $plugins"
    echo "Installed version $wanted in $plugins${found:+, instead of $found}."
    warn_about_https
}

check_plugin() {
    wanted=$(version_of "$source")
    found=$(version_of "$plugins/$NAME.py")
    [ -n "$found" ] || fail "not installed in $plugins; $wanted can be"
    echo "Version $found is installed in $plugins; this is $wanted."
    [ "$found" = "$wanted" ] && [ -x "$plugins/$NAME.py" ] &&
        [ -x "$plugins/$NAME" ]
}

while [ $# -gt 0 ]; do
    case $1 in
        -h | --help) usage && exit ;;
        --check) action=check ;;
        --uninstall) action=uninstall ;;
        --force) force=1 ;;
        --plugins | --python)
            [ $# -gt 1 ] || fail "$1 requires a value" 2
            [ "$1" = --python ] && python=$2 || plugins=$2
            shift
            ;;
        *) fail "unknown argument $1; see --help" 2 ;;
    esac
    shift
done
source=$(dirname "$0")/$NAME.py
[ -d "$plugins" ] || fail "there is no folder $plugins; is this a dom0?"
if [ "$action" = uninstall ]; then
    rm -f "$plugins/$NAME.py" "$plugins/$NAME" "$plugins/$NAME.pyc"
    echo "Removed the plugin from $plugins."
    exit
fi
[ -f "$source" ] || fail "there is no $NAME.py next to this script"
interpreter=$(find_python)
if [ "$action" = check ]; then
    check_plugin
else
    install_plugin
fi
