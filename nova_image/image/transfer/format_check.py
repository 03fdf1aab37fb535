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


"""Checks that an image's data is what its disk_format says, and harmless.

A hypervisor's tools follow what an image's header tells them, to other files
of the host too, and take the format from the data where they are not told:
CVE-2022-47951 (extents of VMDK), CVE-2024-32498 (data files of qcow2) and
CVE-2024-40767 (a format that is not the declared one).

The verdict is the one that Nova 34 comes to (nova/virt/images.py), with the
inspectors of oslo.utils. Nova then asks qemu-img, which knows more; what it
would find and the inspectors of oslo.utils 10.2 do not is looked for here:
a VMDK with a parent, a VMDK whose data is in other files though its
descriptor has the inspector think otherwise, and formats that there is no
inspector for.
"""

import re

from nova_image import exception

try:
    from oslo_utils.imageutils import format_inspector
    if not hasattr(format_inspector.InspectWrapper, 'formats'):
        format_inspector = None  # oslo.utils 7.3: it knows no LUKS either
except ImportError:
    format_inspector = None

#: formats of Amazon's images, which say nothing about the data
_AMAZON = frozenset(('ami', 'aki', 'ari'))
#: what qemu takes for raw; 'gpt' is any partition table
_RAW = frozenset(('raw', 'gpt', 'iso'))

# Bytes. What an inspector finds depends on the size of the pieces it is fed,
# so they are always the same: those of Nova up to where headers are, and
# beyond it, where only few formats have anything to find, larger ones.
_PIECE = 4096
_HEAD = 1024 * 1024
_LARGE_PIECE = 1024 * 1024

# Bytes of the start that are kept: up to where qemu looks for a parent, in
# the 20 sectors from the second on.
_START = 12288

_VMDK_MAGIC = b'KDMV'
_VMDK_CAPACITY = slice(12, 20)
_VMDK_PARENT = b'parentfilenamehint'

#: how data begins that qemu 7.2 may take for vmdk (version 3, or as text with
#: a comment that is no ASCII), parallels, bochs or cloop, while the inspectors
#: of oslo.utils 10.2 see nothing in it
_OTHERS = re.compile(
    br'COWD|WithoutFreeSpace|WithouFreSpacExt|Bochs Virtual HD Image|'
    br'#!/bin/sh\n#V2\.0 Format|'
    br'(?:#[^\n]*\n| +\r?\n)*version=[123]\r?\n')


class FormatCheck(object):
    """Looks at the bytes of one attempt; each attempt has its own.

    :param declared: the image's disk_format
    :param facts: keyword arguments for the exceptions
    :ivar detected: what the data is, such as ``'qcow2'``; None until
        verify() has found it good
    :raises ImageUnacceptable: when there are no inspectors on this host, or
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
                advice='Install oslo.utils 7.4 or later, which needs Python '
                       '3, or do not ask for the inspection', **self._facts)
        if self._declared not in _AMAZON and (
                format_inspector.get_inspector(self._declared) is None):
            raise self._refusal(
                'its disk_format %s is none that can be inspected' % (
                    self._declared),
                'Convert it to qcow2 or raw, and upload it anew')

    def update(self, chunk):
        """Take the next bytes into account; never raises for what they are.

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
        """Show a piece to the inspectors until they know all they want."""
        if len(self._start) < _START:
            self._start += piece
        self._seen += len(piece)
        try:
            self._pushed.piece = piece
            self._wrapper.read(len(piece))
            self._decided = self._wrapper.formats is not None
        except Exception as error:
            # They parse what an attacker may have made: whatever they
            # stumble over is no image to use.
            self._failure, self._decided = error, True

    def verify(self):
        """Judge the data, all of which was seen.

        :raises ImageUnacceptable: when it is harmful, or not in the declared
            format
        """
        inspector = self._inspector()
        self._check_safety(inspector)
        self._check_declared(str(inspector))
        self.detected = str(inspector)

    def _inspector(self):
        """Return the inspector of the format that the data is in."""
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
            # An ISO that also starts from a disk has a partition table.
            return found['iso']
        if len(found) != 1:
            raise self._refusal('its data is %s at once' % ' and '.join(
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

        One without a sparse extent in it is a list of the files that its
        data is in, which qemu opens. The inspector goes by what it takes for
        createType, and that need not be what qemu does.
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
                'its disk_format is %s, but qemu may take its data for '
                'another one' % self._declared,
                'Convert it to qcow2 or raw, and upload it anew')
        if detected == self._declared:
            return
        if self._declared == 'raw' and detected == 'gpt':
            return  # the whole of a disk with its partition table
        if self._declared in _AMAZON and detected in _RAW:
            return
        raise self._refusal(
            'its disk_format is %s, but its data is %s' % (
                self._declared, detected),
            'Upload it anew with the disk_format %s, if that is what it is '
            'meant to be' % ('raw' if detected == 'gpt' else detected))

    def _broken(self, error):
        return self._refusal(
            'its data cannot be inspected: %s' % error,
            'Check the file it was made of with qemu-img check, and upload '
            'it anew')

    def _unsafe(self, inspector, failed):
        return self._refusal(
            'its data is %s and fails the safety check %s' % (
                inspector, failed),
            'Convert it with qemu-img convert, on a host where the files it '
            'may name are harmless, and upload the result')

    def _refusal(self, reason, advice):
        return exception.ImageUnacceptable(
            reason=reason, advice=advice, **self._facts)


class _Pushed(object):
    """What InspectWrapper reads from: the piece that was put here."""

    piece = b''

    def read(self, size):
        """Return the piece."""
        return self.piece
