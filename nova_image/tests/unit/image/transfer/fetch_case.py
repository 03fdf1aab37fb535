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
"""What the tests of nova_image.image.transfer.fetch share."""

import os
import threading

import fixtures
import mock

from nova_image.image.transfer import fetch
from nova_image.tests.unit.image.transfer import transfer_case as case

DATA = case.DATA


class Check(object):
    """A fake check of the signature or the format.

    :param name: the name of the check
    :param error: the exception that verify() raises, or None
    """

    is_light = False

    def __init__(self, name, error=None):
        self.name = name
        self.seen = b''
        self._error = error

    def update(self, chunk):
        """Keep the bytes."""
        self.seen += chunk

    def verify(self):
        """Raise the error, if there is one."""
        if self._error is not None:
            raise self._error


class FetchCase(case.TransferCase):
    """Base class: a download."""

    def download(self, record=case.RECORDED, **options):
        """Return a new download."""
        return fetch.Download(
            self.client(), self.context, self.request,
            lambda answer: record, recorded=record, **options)

    def run_it(self, data=None, path=None, **options):
        """Run a new download."""
        return self.download(**options).run(data, path)

    def assert_failed(self, kind, *answers, **options):
        """Assert that it fails and leaves no file; return the error."""
        self.glance.answers(*answers)
        error = self.assertRaises(kind, self.run_it, path=self.path,
                                  **options)
        self.assertEqual([], os.listdir(self.folder))
        self.assert_no_thread()
        return error

    def assert_no_thread(self):
        """Assert that no check is running."""
        self.assertEqual([], [thread for thread in threading.enumerate()
                              if thread.name == 'nova_image check'])

    def use_checks(self, kind, *checks):
        """Use these checks in turn, one for each attempt.

        :param kind: 'signature' or 'format'
        :returns: the mock that returns them
        """
        name = {'signature': 'signature.open_verifier',
                'format': 'format_check.FormatCheck'}[kind]
        factory = mock.Mock(side_effect=checks)
        self.useFixture(fixtures.MonkeyPatch(
            'nova_image.image.transfer.fetch.' + name, factory))
        return factory
