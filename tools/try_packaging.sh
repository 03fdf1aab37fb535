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

# Tries the recipes in packaging/ as far as one machine can. Needs Debian, root
# and a package index, installs missing packages, and takes some minutes.
#
# Usage: tools/try_packaging.sh [container | kolla | debian ...]
#
#   container  builds the image with buildah, on a base with Debian's Nova
#   kolla      renders the Dockerfiles of Nova, and packs the plugin
#   debian     builds the package, and installs it next to Debian's Nova

set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=tools/venv.sh
. tools/venv.sh

SUITE=bookworm
MIRROR=http://deb.debian.org/debian
NOVA_CONF='[DEFAULT]
config_source = nova_image
[nova_image]
driver = nova_image
[glance]
api_servers = http://127.0.0.1:9292
'
# What a service of Nova says; the recipes succeed if it names the driver.
CHECK=(nova-image-run --check nova-compute --config-file /etc/nova/nova.conf
    --config-file /etc/nova/nova-image.conf)
WANTED='nova-compute runs with the driver GlanceImageServiceV2 of nova_image'

apt_install() {  # PACKAGE...: those that are missing
    dpkg-query -W "$@" >/dev/null 2>&1 ||
        DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 \
            install -y --no-install-recommends "$@" >/dev/null
}

step() {
    printf '== %s\n' "$1"
}

quietly() {  # COMMAND...: its output appears only if it fails
    "$@" >"$work/log" 2>&1 || { tail -30 "$work/log"; return 1; }
}

# A Debian with Nova, made once.
nova_root() {
    root=$CACHE/packaging/nova
    if [ ! -e "$root.stamp" ]; then
        step "Debian $SUITE with nova-compute (once)"
        apt_install debootstrap
        rm -rf "$root"
        mkdir -p "$root"
        quietly debootstrap --variant=minbase \
            --include=python3,python3-venv,ca-certificates "$SUITE" "$root" \
            "$MIRROR"
        # Nothing starts in it.
        printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
        chmod +x "$root/usr/sbin/policy-rc.d"
        quietly env DEBIAN_FRONTEND=noninteractive chroot "$root" \
            apt-get install -y -q --no-install-recommends nova-compute
        touch "$root.stamp"
    fi
    printf '%s' "$NOVA_CONF" >"$root/etc/nova/nova-image.conf"
}

expect_driver() {  # COMMAND...: runs the check of a service
    "$@" "${CHECK[@]}" | tee "$work/said"
    grep -q "^$WANTED " "$work/said"
}

try_container() {
    local build=(buildah --root "$work/storage" --runroot "$work/run")
    export BUILDAH_ISOLATION=chroot STORAGE_DRIVER=vfs
    apt_install buildah crun
    nova_root
    step 'container: the base, with Nova of Debian'
    printf 'FROM scratch\nADD . /\n' >"$work/Base"
    quietly "${build[@]}" build -t localhost/nova -f "$work/Base" "$root"
    step 'container: nova_image in it'
    mkdir "$work/context"
    cp "$dist"/*.tar.gz "$work/context"
    # This machine may have certificates of its own.
    quietly "${build[@]}" build -t localhost/nova-with-nova-image \
        --volume /etc/ssl/certs:/etc/ssl/certs:ro \
        --build-arg BASE=localhost/nova --build-arg BUILDER=localhost/nova \
        --build-arg PYTHON=/usr/bin/python3 \
        -f packaging/container/Containerfile "$work/context"
    expect_driver "${build[@]}" run \
        "$("${build[@]}" from localhost/nova-with-nova-image)" --
}

try_kolla() {
    local venv=$CACHE/venvs/kolla
    step 'kolla: the Dockerfile of nova-base'
    [ -x "$venv/bin/kolla-build" ] ||
        { "$PYTHON" -m venv "$venv" &&
            quietly "$venv/bin/python" -m pip install -q kolla docker; }
    sed "s#^location = .*#location = $(echo "$dist"/*.tar.gz)#" \
        packaging/kolla/kolla-build.conf >"$work/kolla-build.conf"
    # Nova's own code comes from a network.
    mkdir "$work/nova-source"
    printf '[nova-base]\ntype = local\nlocation = %s\n' "$work/nova-source" \
        >>"$work/kolla-build.conf"
    quietly "$venv/bin/kolla-build" --template-only \
        --config-file "$work/kolla-build.conf" \
        --template-override packaging/kolla/template-override.j2 \
        --work-dir "$work/kolla" nova-compute
    grep -F /plugins/ "$work/kolla/docker/nova/nova-base/Dockerfile"
    grep -F nova_image "$work/kolla/docker/nova/nova-base/Dockerfile"
    step 'kolla: the archive of plugins'
    "$venv/bin/python" - "$work/kolla-build.conf" "$work/plugins" <<'PYTHON'
import logging
import sys
import tarfile

from kolla.common import config
from kolla.image import kolla_worker
from kolla.image import tasks
from oslo_config import cfg

conf = cfg.ConfigOpts()
config.parse(conf, ['--config-file', sys.argv[1], '--work-dir', sys.argv[2],
                    '--template-only'], prog='kolla-build')
worker = kolla_worker.KollaWorker(conf)
worker.setup_working_dir()
worker.find_dockerfiles()
worker.create_dockerfiles()
worker.build_image_list()
image, = (one for one in worker.images if one.name == 'nova-base')
# Kolla's other plugins come from a network.
image.plugins = [one for one in image.plugins
                 if one['name'] == 'nova-base-plugin-nova-image']
# It packs the plugins, and then finds no engine that builds images.
logging.disable()
tasks.BuildTask(conf, image, None).builder(image)
with tarfile.open(image.path + '/plugins-archive') as archive:
    names = archive.getnames()
name, = (name for name in names if name.endswith('/nova_image/__init__.py'))
print('%d files, such as /%s' % (len(names), name))
PYTHON
}

try_debian() {
    apt_install debhelper dh-python dpkg-dev fakeroot lintian python3-all \
        python3-pbr python3-setuptools
    nova_root
    step 'debian: the package'
    mkdir "$work/debian"
    tar -xzf "$dist"/*.tar.gz -C "$work/debian"
    cp -r packaging/debian "$work/debian"/nova_image-*/
    (
        cd "$work/debian"/nova_image-*/
        # Debian's Python builds it, not another one on the PATH.
        export PATH=/usr/sbin:/usr/bin:/sbin:/bin
        unset PYTHONPATH PBR_VERSION
        quietly dpkg-buildpackage -us -uc -b
    )
    dpkg-deb --info "$work/debian"/*.deb | grep -E 'Version|Depends'
    dpkg-deb --contents "$work/debian"/*.deb | awk '{print $6}' >"$work/files"
    grep -E '/(bin|man1)/.|install\.sh|py\.typed' "$work/files"
    lintian --allow-root --fail-on error "$work/debian"/*.changes
    step 'debian: the package next to Nova of Debian'
    cp -a --reflink=auto "$root" "$work/installed"
    cp "$work/debian"/*.deb "$work/installed/nova_image.deb"
    quietly chroot "$work/installed" dpkg -i /nova_image.deb
    expect_driver unshare --fork --pid --mount-proc \
        --root "$work/installed" --
}

main() {
    local recipe
    [ $# -gt 0 ] || set -- container kolla debian
    for recipe in "$@"; do
        [ "$(type -t "try_$recipe")" = function ] ||
            { echo "Unknown recipe: $recipe." >&2; exit 2; }
    done
    make_venv test-requirements.txt test-requirements-py27.txt
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    dist=$work/dist
    step 'the source distribution'
    "$PYTHON" -m tools.check_package "$dist"
    for recipe in "$@"; do
        "try_$recipe"
    done
    echo 'All recipes work.'
}

main "$@"
