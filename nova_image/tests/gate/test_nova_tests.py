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

"""Nova's own image tests pass with nova_image and a real Glance.

They are nova.tests.functional.test_images and
nova.tests.functional.api_sample_tests.test_images of Nova 34: two tests with
servers, and eight of the images proxy, each with three forms of its URLs. They
run once with eventlet and once with threads, each time on a separate Glance.
"""

import collections.abc
import functools
import json
import pathlib
import re
import shutil
import sys
import tarfile
import typing

import testtools

from nova_image.tests import fixtures
from nova_image.tests.fixtures import base
from nova_image.tests.fixtures import nova_virtualenv
from nova_image.tests.fixtures import paths
from nova_image.tests.fixtures import processes

_SAMPLE_FILES = '/doc/api_samples/images/'
_TIMEOUT = 600
_LOG = 4000
_NOVA = 'nova==34.0.0'
_REQUIREMENTS = (_NOVA, 'openstack-placement==16.0.0', 'oslotest==6.1.1',
                 'requests-mock==1.12.1', 'testscenarios==0.7.0',
                 'wsgi-intercept==1.13.1')
# SQLAlchemy 2.1 deprecates features that Nova 34 uses, and Nova's tests turn
# these warnings into errors.
_CONSTRAINTS = ('sqlalchemy<2.1',)
_CODE = ('import sys; from nova_image.tests.gate import nova_tests; '
         'nova_tests.main(*sys.argv[1:])')
# The value that disables eventlet in Nova.
_CONCURRENCY = {'eventlet': 'false', 'threads': 'true'}

_SERVERS = 'nova.tests.functional.test_images.ImagesTest.'
_SAMPLES = ('nova.tests.functional.api_sample_tests.test_images.'
            'ImagesSampleJsonTest.')
_OURS = 'nova_image.tests.gate.nova_tests.'
_URLS = '(v2)', '(v2_1)', '(v2_1_noproject_id)'
_OWNERS = 'test_admin_snapshot_user_image_access_member'
_DETAILS = 'test_images_details'

_SHOW = 'GET /v2/images/ID 200'
_LIST = 'GET /v2/images?limit=1000 200'
_CREATE = 'POST /v2/images 201'
_CHANGE = [_SHOW, _SHOW, 'PATCH /v2/images/ID 200']

#: The requests to Glance of each of Nova's tests.
REQUESTS = {
    _SERVERS + 'test_create_images_negative_invalid_state': [
        _LIST, _SHOW, _CREATE, _LIST, _CREATE, _LIST,
        'DELETE /v2/images/ID 204'],
    _SERVERS + _OWNERS: [
        _LIST, _SHOW, _CREATE, 'POST /v2/images/ID/members 200', _LIST],
    **{_SAMPLES + method + urls: requests for urls in _URLS
       for method, requests in {
           'test_images_list': [_LIST],
           _DETAILS: [_LIST],
           'test_image_get': [_SHOW],
           'test_image_metadata_get': [_SHOW],
           'test_image_metadata_post': _CHANGE,
           'test_image_metadata_put': _CHANGE,
           'test_image_meta_key_get': [_SHOW],
           'test_image_meta_key_put': _CHANGE}.items()},
}


class Inapplicable(typing.NamedTuple):
    """A test that expects something that the drivers do not provide."""

    #: Why they do not provide it.
    reason: str
    #: A regular expression for the message of its failure.
    failure: str
    #: The test that checks the same with a real Glance.
    counterpart: str


#: The tests that cannot apply, by ID.
INAPPLICABLE = {
    _SERVERS + _OWNERS: Inapplicable(
        'Nova\'s stand-in for Glance puts owner and instance_owner into the '
        'properties that the images proxy shows. In a real Glance, owner is '
        'the owner of the image, and instance_owner a member.',
        "'owner' not in {",
        _OURS + 'SnapshotByAdminTest.' + _OWNERS),
    **{_SAMPLES + _DETAILS + urls: Inapplicable(
        'The property ramdisk_id of one image is null. The drivers leave it '
        'out, because v1 shows no such property of an image.',
        r"items in template:\n[^\n]*'ramdisk_id': None}[^\n]*\n"
        r'Extra list items in Response:\n[^\n]*\nTemplate: ',
        _OURS + 'ImagesDetailsTest.' + _DETAILS + urls) for urls in _URLS},
}


class Outcome(typing.NamedTuple):
    """The outcome of a test."""

    #: The status of testtools, such as ``success``.
    status: str
    #: The traceback of a failure.
    traceback: str
    #: The end of Nova's log.
    log: str
    #: The requests to Glance, with ID for each ID.
    requests: list[str]


class Glance(fixtures.Glance):
    """A Glance for the images of Nova's tests.

    It accepts any text as the ID of a kernel, and the container format
    ``raw``.
    """

    def __init__(self) -> None:
        """Create the fixture."""
        formats = 'ami,ari,aki,bare,ovf,ova,docker,compressed'
        super().__init__(options={
            'image_format': {'container_formats': formats + ',raw'}})

    def _configure(self) -> None:
        super()._configure()
        text = {'type': ['null', 'string']}
        (self.folder / 'schema-image.json').write_text(json.dumps(
            {'kernel_id': text, 'ramdisk_id': text}))


class Virtualenv(nova_virtualenv.NovaVirtualenv):
    """Nova with the requirements and the samples of its tests."""

    def __init__(self) -> None:
        """Create the fixture."""
        super().__init__('nova34-tests', _REQUIREMENTS,
                         constraints=_CONSTRAINTS)

    @property
    def doc(self) -> pathlib.Path:
        """The folder that contains ``api_samples``."""
        return self.path / 'doc'

    def _install(self, log: pathlib.Path) -> None:
        super()._install(log)
        # Only the source distribution has the samples.
        processes.run(
            [sys.executable, '-m', 'pip', 'download', '-q',
             '--disable-pip-version-check', '--no-deps', '--no-binary',
             'nova', '-d', self.path, _NOVA], log, self._environment())
        samples = self.doc / 'api_samples' / 'images'
        samples.mkdir(parents=True)
        with tarfile.open(self.path / 'nova-34.0.0.tar.gz') as source:
            for member in source:
                if member.isfile() and _SAMPLE_FILES in member.name:
                    with source.extractfile(member) as sample:
                        (samples / pathlib.Path(member.name).name
                         ).write_bytes(sample.read())


class NovaTests(base.Fixture):
    """A Glance, and Nova's tests in their virtualenv.

    :ivar glance: the Glance
    """

    def __init__(self, virtualenv: Virtualenv) -> None:
        """Create the fixture.

        :param virtualenv: a virtualenv that is already set up
        """
        super().__init__()
        self.glance = Glance()
        self._virtualenv = virtualenv
        self._run_folder = paths.RunFolder('nova-tests')

    def _setUp(self) -> None:
        self.useFixture(self.glance)
        self.useFixture(self._run_folder)

    def run(self, concurrency: str) -> dict[str, Outcome]:
        """Run the tests, whether they pass or not.

        :param concurrency: ``eventlet`` or ``threads``
        :returns: the outcome of each test, by ID
        :raises nova_image.tests.fixtures.ProcessFailed: if they cannot run
        """
        folder = self._run_folder.path
        (folder / 'etc' / 'nova').mkdir(parents=True)
        shutil.copy(self._virtualenv.path / 'etc/nova/api-paste.ini',
                    folder / 'etc' / 'nova')
        (folder / 'settings').write_text(json.dumps({
            'url': self.glance.url, 'record': str(self.glance.access_log),
            'database': str(self.glance.folder / 'database.sqlite'),
            'doc': str(self._virtualenv.doc)}))
        processes.run(
            [self._virtualenv.bin / 'python', '-c', _CODE,
             folder / 'settings', folder / 'results'], folder / 'log',
            processes.clean_environment({
                'OS_DEFAULT__STATE_PATH': str(folder),
                'OS_NOVA_DISABLE_EVENTLET_PATCHING':
                    _CONCURRENCY[concurrency],
                # The same as in Nova's own runs.
                'NOVA_RAISE_ON_GREENLET_LEAK': 'true',
                'PYTHONDONTWRITEBYTECODE': '1'}), _TIMEOUT, folder)
        results = json.loads((folder / 'results').read_text())
        return {name: self._outcome(result)
                for name, result in results.items()}

    def _outcome(self, result: dict[str, typing.Any]) -> Outcome:
        since = self.glance.requests(result['begin'])
        later = self.glance.requests(result['end'])
        return Outcome(
            result['status'], result['details'].get('traceback', ''),
            result['details'].get("pythonlogging:''", '')[-_LOG:],
            [re.sub(r'[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', 'ID',
                    '%s %s %d' % request)
             for request in since[:len(since) - len(later)]])


class NovaTestsTest(testtools.TestCase):
    """The outcomes and the requests of Nova's tests."""

    outcomes: dict[str, dict[str, Outcome]] = {}

    @classmethod
    def setUpClass(cls) -> None:
        """Run the tests with eventlet and with threads, in parallel."""
        super().setUpClass()
        with Virtualenv() as virtualenv:
            def run(concurrency: str) -> None:
                with NovaTests(virtualenv) as tests:
                    cls.outcomes[concurrency] = tests.run(concurrency)

            base.together(*(functools.partial(run, concurrency)
                            for concurrency in _CONCURRENCY))

    def _each(self) -> collections.abc.Iterator[tuple[str, Outcome]]:
        """Yield the ID and the outcome of each test of both runs."""
        self.assertEqual(set(_CONCURRENCY), set(self.outcomes))
        for outcomes in self.outcomes.values():
            yield from outcomes.items()

    def test_all_tests_ran(self) -> None:
        """So did the counterparts of tests that cannot apply."""
        counterparts = [test.counterpart for test in INAPPLICABLE.values()]
        for concurrency, outcomes in self.outcomes.items():
            self.assertEqual(sorted([*REQUESTS, *counterparts]),
                             sorted(outcomes), concurrency)

    def test_applicable_tests_pass(self) -> None:
        self.assertEqual({}, {
            name: outcome for name, outcome in self._each()
            if name not in INAPPLICABLE and outcome.status != 'success'})

    def test_inapplicable_tests_fail_for_the_given_reason(self) -> None:
        for name, outcome in self._each():
            if name in INAPPLICABLE:
                test = INAPPLICABLE[name]
                self.assertNotEqual('success', outcome.status, (
                    '%s applies now. It did not, for this reason: %s'
                    % (name, test.reason)))
                self.assertRegex(outcome.traceback, test.failure)

    def test_each_test_makes_only_the_expected_requests(self) -> None:
        for name, outcome in self._each():
            if name in REQUESTS:
                self.assertEqual(REQUESTS[name], outcome.requests, name)
