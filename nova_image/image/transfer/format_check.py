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


"""Checks that an image's data has its disk_format, and is harmless.

A hypervisor's tools follow the references in an image's header, even to other
files of the host, and detect the format if it is not specified:
CVE-2022-47951 (extents of VMDK), CVE-2024-32498 (data files of qcow2) and
CVE-2024-40767 (a format that is not the declared one).

The verdict is that of Nova 34 (nova/virt/images.py), with the inspectors of
oslo.utils. Nova then runs qemu-img, which detects more; what it would detect
and the inspectors of oslo.utils 10.2 do not is checked here: a VMDK with a
parent, a VMDK whose data is in other files although its descriptor misleads
the inspector, and formats without an inspector.
"""

import re

from oslo_utils import units

from nova_image import exception
from nova_image.image import archives
from nova_image.image.transfer import contracts

try:
    from oslo_utils.imageutils import format_inspector
    if not hasattr(format_inspector.InspectWrapper, 'formats'):
        format_inspector = None  # oslo.utils 7.3, which lacks LUKS too
except ImportError:
    format_inspector = None

#: formats of Amazon's images, which do not describe the data
_AMAZON = frozenset(('ami', 'aki', 'ari'))
#: what qemu treats as raw; 'gpt' is any partition table
_RAW = frozenset(('raw', 'gpt', 'iso'))

#: formats that Glance does not offer as a disk_format
_NOT_IN_GLANCE = frozenset(('qed',))
_CONVERT = 'Convert it to qcow2 or raw, and upload it again'

# Bytes. What an inspector detects depends on the size of the pieces, so they
# are always the same: those of Nova in the region of the headers, and larger
# ones beyond it, where few formats have anything to detect.
_PIECE = 4096
_HEAD = units.Mi
_LARGE_PIECE = units.Mi

# Bytes of the start to keep: up to where qemu looks for a parent, in the 20
# sectors after the first.
_START = 12288

_VMDK_MAGIC = b'KDMV'
_VMDK_CAPACITY = slice(12, 20)
_VMDK_PARENT = b'parentfilenamehint'

#: the start of data that qemu 7.2 may detect as vmdk (version 3, or text with
#: a comment that is not ASCII), parallels, bochs or cloop, but the inspectors
#: of oslo.utils 10.2 do not
_OTHERS = re.compile(
    br'COWD|WithoutFreeSpace|WithouFreSpacExt|Bochs Virtual HD Image|'
    br'#!/bin/sh\n#V2\.0 Format|'
    br'(?:#[^\n]*\n| +\r?\n)*version=[123]\r?\n')


class FormatCheck(contracts.Check):
    """Inspects the bytes of one attempt.

    :param declared: the image's disk_format
    :param facts: keyword arguments for the exceptions
    :ivar detected: the format of the data, such as ``'qcow2'``; None until
        verify() has succeeded
    :raises ImageUnacceptable: if there are no inspectors on this host, or
        none for the declared format
    """

    name = 'format'

    def __init__(self, declared, **facts):
        self.detected = None
        self._declared = declared
        self._facts = facts
        self._require_inspector()
        self._pushed = _Pushed()
        self._wrapper = format_inspector.InspectWrapper(self._pushed)
        self._rest = bytearray()
        self._seen = 0
        self._start = b''
        self._decided = False
        self._failure = None

    def _require_inspector(self):
        if format_inspector is None:
            raise exception.ImageUnacceptable(
                'The image cannot be inspected',
                reason='there are no format inspectors on this host',
                advice='Install oslo.utils 7.4 or later, which requires '
                       'Python 3, or disable the inspection', **self._facts)
        if self._declared not in _AMAZON and (
                format_inspector.get_inspector(self._declared) is None):
            raise self._refusal(
                'its disk_format %s cannot be inspected' % self._declared,
                _CONVERT if self._declared else
                'Create it again with the disk_format of its data')

    def update(self, chunk):
        """Process the next bytes; never raises because of their content.

        :param chunk: bytes
        """
        if self._decided:
            return
        self._rest.extend(chunk)
        size = self._piece_size()
        while len(self._rest) >= size and not self._decided:
            self._inspect(bytes(self._rest[:size]))
            del self._rest[:size]
            size = self._piece_size()
        if self._decided:
            self._rest = bytearray()

    def _piece_size(self):
        return _PIECE if self._seen < _HEAD else _LARGE_PIECE

    def _inspect(self, piece):
        """Pass a piece to the inspectors until they have decided."""
        if len(self._start) < _START:
            self._start += piece
        self._seen += len(piece)
        try:
            self._pushed.piece = piece
            self._wrapper.read(len(piece))
            self._decided = self._wrapper.formats is not None
        except Exception as error:
            # They parse data that an attacker may have made: if they fail,
            # the image must not be used.
            self._failure, self._decided = error, True

    def verify(self):
        """Judge the data, all of which was processed.

        :raises ImageUnacceptable: if it is harmful, or not in the declared
            format
        """
        inspector = self._inspector()
        self._check_safety(inspector)
        self._check_declared(str(inspector))
        self.detected = str(inspector)

    def _inspector(self):
        """Return the inspector of the detected format."""
        if self._rest and not self._decided:
            self._inspect(bytes(self._rest))
        try:
            self._wrapper.close()
            found = {str(one): one for one in self._wrapper.formats}
        except Exception as error:
            self._failure = self._failure or error
        if self._failure is not None:
            raise self._broken(self._failure)
        if set(found) == {'iso', 'gpt'}:
            # An ISO that can also be booted from a disk has a partition table.
            return found['iso']
        if len(found) != 1:
            raise self._refusal(
                'its data is %s at the same time' % ' and '.join(
                    sorted(found)), 'Do not use it: it is made to deceive')
        return found.popitem()[1]

    def _check_safety(self, inspector):
        try:
            inspector.safety_check()
        except format_inspector.SafetyCheckFailed as error:
            raise self._unsafe(inspector, '; '.join(
                '%s (%s)' % failure for failure in sorted(
                    error.failures.items())))
        except Exception as error:
            raise self._broken(error)
        harm = str(inspector) == 'vmdk' and self._harm_of_vmdk(inspector)
        if harm:
            raise self._unsafe(inspector, harm)

    def _harm_of_vmdk(self, inspector):
        """Return the safety check that a VMDK fails, or None.

        A VMDK without a sparse extent lists the files with its data, which
        qemu opens. The inspector relies on what it parses as createType,
        which may differ from what qemu parses.
        """
        magic, capacity = self._start[:4], self._start[_VMDK_CAPACITY]
        if magic != _VMDK_MAGIC or not any(bytearray(capacity)):
            return 'extents (Image has its data in other files)'
        text = inspector.desc_text.encode('ascii') + self._start.lower()
        if _VMDK_PARENT in text:
            return 'parent (Image has a backing file)'
        return None

    def _check_declared(self, detected):
        if detected in _RAW and _OTHERS.match(self._start):
            raise self._refusal(
                'its disk_format is %s, but qemu may detect another format'
                % self._declared, _CONVERT)
        if detected == self._declared:
            return
        if self._declared == 'raw' and detected == 'gpt':
            return  # a whole disk with its partition table
        if self._declared in _AMAZON and detected in _RAW:
            return
        what, advice = self._other(detected)
        raise self._refusal('its disk_format is %s, but its data is %s' % (
            self._declared, what), advice)

    def _other(self, detected):
        """Return what the data is, and what to do about it."""
        archive = detected == 'raw' and archives.advice(self._start)
        if archive:
            return archive
        if detected == 'raw':
            return 'raw, or in no format that is known', (
                'Check with qemu-img info that the file is complete and which '
                'format it has. If it is raw, upload it again with the '
                'disk_format raw')
        if detected in _NOT_IN_GLANCE:
            return detected, _CONVERT
        return detected, (
            'Upload it again with the disk_format %s, if that is right' % (
                'raw' if detected == 'gpt' else detected))

    def _broken(self, error):
        return self._refusal(
            'its data cannot be inspected: %s' % error,
            'Check the original file with qemu-img check, and upload it '
            'again')

    def _unsafe(self, inspector, failed):
        return self._refusal(
            'its data is %s and fails the safety check %s' % (
                inspector, failed),
            'Convert it with qemu-img convert, on a host where the files that '
            'it may refer to are harmless, and upload the result')

    def _refusal(self, reason, advice):
        return exception.ImageUnacceptable(
            reason=reason, advice=advice, **self._facts)


class _Pushed(object):
    """A file for InspectWrapper to read: the piece that was set."""

    piece = b''

    def read(self, size):
        """Return the piece."""
        return self.piece
