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

"""What data looks like, by its first and last bytes, for a suggestion.

A guess does not replace a check: nova_image.image.transfer.format_check
inspects all of the data, and so does Glance.
"""

import collections
import re

from nova_image.image import archives

#: how many of the first bytes are enough: an ISO 9660 image begins at 32 KiB
START = 36864
#: how many of the last bytes are enough
END = 512

#: What data looks like.
#:
#: disk_format: the disk_format for it; None if Glance has none
#: looks: what it is, such as "looks like qcow2" or "is a zip archive"
#: advice: what else to do; '' for nothing
Guess = collections.namedtuple('Guess', 'disk_format looks advice')

#: a raw disk with a footer
FIXED_VHD = Guess(
    'vhd', 'looks like vhd of a fixed size, which Glance 33 detects as raw',
    'If Glance rejects it, convert it with qemu-img convert -O qcow2')

_CONVERT = 'Convert it with qemu-img convert -O qcow2'
#: (offset, bytes there, disk_format) of formats that Glance has
_MAGICS = (
    (0, b'QFI\xfb', 'qcow2'),
    (0, b'KDMV', 'vmdk'),
    (0, b'vhdxfile', 'vhdx'),
    (0, b'conectix', 'vhd'),
    (64, b'\x7f\x10\xda\xbe', 'vdi'),
    (0, b'WithoutFreeSpace', 'ploop'),
    (0, b'WithouFreSpacExt', 'ploop'),
    (0, b'LUKS\xba\xbe', 'luks'),
    (32769, b'CD001', 'iso'),
)
#: disk_format -> what else to do
_ADVICE = {'luks': 'If Glance does not accept luks, use --disk-format raw'}
#: the formats that all data with them shows at the start
_CERTAIN = frozenset(('qcow2', 'vmdk', 'vhdx', 'vdi', 'luks', 'iso'))
#: (pattern of the start, what it is, what to do) of other data
_OTHERS = tuple((re.compile(pattern), looks, advice)
                for pattern, looks, advice in (
    (br'QED\0', 'looks like qed, which Glance does not accept', _CONVERT),
    (br'COWD', 'looks like a VMDK of ESX, which Glance does not detect',
     _CONVERT),
    (br'(?i)# *disk descriptorfile', 'is the descriptor of a VMDK, without '
     'the data', 'Convert it with qemu-img convert -O qcow2, where the files '
     'with the data are'),
    (br'Bochs Virtual HD Image', 'looks like bochs, which Glance does not '
     'accept', _CONVERT),
    (br'(?is)(\xef\xbb\xbf)?\s*<(!doctype\s+html|html)\b', 'is a web page',
     'Check the URL that it was downloaded from'),
    (br'(?is)(\xef\xbb\xbf)?\s*<\?xml.{0,4000}?<([a-z]+:)?envelope\b',
     'is an OVF, which describes disks', 'Upload the disk that it names, '
     'with its own disk_format'),
))
_BOOT_SIGNATURE = slice(510, 512)
_PARTITIONS = slice(446, 510)
_GPT_AT = (512, 4096)
_KERNEL = slice(514, 518)
_EXT = slice(1080, 1082)


def guess(start, end=None):
    """Return what data looks like.

    :param start: its first bytes, as many as there are up to START
    :param end: its last bytes, as many as there are up to END; None if they
        are not known
    :returns: Guess; None if the data is in no known format, and may be raw
    """
    for offset, magic, name in _MAGICS:
        if start[offset:offset + len(magic)] == magic:
            return Guess(name, 'looks like ' + name, _ADVICE.get(name, ''))
    for pattern, looks, advice in _OTHERS:
        if pattern.match(start):
            return Guess(None, looks, advice)
    found = archives.advice(start)
    if found:
        return Guess(None, 'is ' + found[0], found[1])
    if end and b'conectix' in (end[-512:-504], end[-511:-503]):
        return FIXED_VHD
    return _raw(start)


def _raw(start):
    """Return the Guess for data that only a raw disk begins with."""
    if start[_KERNEL] == b'HdrS':
        return Guess('aki', 'looks like a Linux kernel', '')
    what = None
    if any(start[place:place + 8] == b'EFI PART' for place in _GPT_AT):
        what = 'with a partition table (GPT)'
    elif start[_BOOT_SIGNATURE] == b'\x55\xaa':
        what = 'with a partition table (MBR)' if _has_partitions(
            start) else 'with a boot sector'
    elif start[_EXT] == b'\x53\xef' or start.startswith(b'XFSB'):
        what = 'with a file system'
    return what and Guess('raw', 'looks like raw, ' + what, '')


def _has_partitions(start):
    """Return whether a boot sector has a table with any partition."""
    table = bytearray(start[_PARTITIONS])
    entries = [table[place:place + 16] for place in range(0, 64, 16)]
    return all(entry[0] in (0, 0x80) for entry in entries) and any(
        entry[4] for entry in entries)


def is_visible(disk_format, end):
    """Return whether guess() recognizes all data of a disk_format.

    :param end: as for guess(); a VHD may be recognized only by it
    """
    return disk_format in _CERTAIN or disk_format == 'vhd' and end is not None
