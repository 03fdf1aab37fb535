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

"""Archives and compressed files, which people upload instead of an image.

They have no format of a disk, so that inspectors see raw data in them.
"""

import re
import zlib

_MAGICS = (
    (b'\x1f\x8b\x08', 'compressed with gzip', 'gunzip'),
    (b'\xfd7zXZ\0', 'compressed with xz', 'unxz'),
    (b'BZh', 'compressed with bzip2', 'bunzip2'),
    (b'\x28\xb5\x2f\xfd', 'compressed with zstd', 'unzstd'),
    (b'\x04\x22\x4d\x18', 'compressed with lz4', 'unlz4'),
    (b'\x5d\0\0\x80\0', 'compressed with lzma', 'unlzma'),
    (b'PK\x03\x04', 'a zip archive', 'unzip'),
    (b"7z\xbc\xaf'\x1c", 'a 7z archive', '7z x'),
    (b'Rar!\x1a\x07', 'a RAR archive', 'unrar x'),
)
_TAR = slice(257, 262)
_NAME = slice(0, 100)
_OVA = re.compile(br'(?i)[^\0]+\.(ovf|mf|cert)\0')
#: the start of data -> its disk_format, for what is in a compressed file
_FORMATS = ((b'QFI\xfb', 'qcow2'), (b'KDMV', 'vmdk'), (b'vhdxfile', 'vhdx'),
            (b'conectix', 'vhd'))
_ENOUGH = 512


def advice(start):
    """Return what data is, and what to do about it.

    :param start: the first bytes of the data, as many as there are up to 512
    :returns: (text, text), or None if it is another kind of data
    """
    for magic, what, program in _MAGICS:
        if start.startswith(magic):
            inside = _inside(start)
            return (what, 'Unpack the file with %s, and upload the disk image '
                    'in it%s' % (program, inside and (
                        ' with the disk_format %s' % inside)))
    if start[_TAR] != b'ustar':
        return None
    if _OVA.match(start[_NAME] + b'\0'):
        return ('an OVA, which is a tar archive of an OVF and disks',
                'Unpack the file with tar xf, and upload the disk in it with '
                'its own disk_format, which is vmdk for most')
    return ('a tar archive', 'Unpack the file with tar xf, and upload the '
            'disk image in it')


def _inside(start):
    """Return the disk_format of what is compressed with gzip, or ''."""
    try:
        data = zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(
            bytes(start), _ENOUGH)
    except zlib.error:
        return ''
    for magic, name in _FORMATS:
        if data.startswith(magic):
            return name
    return ''
