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
servers, and eight of the images proxy in three forms of its URLs. They run
with eventlet and with threads, each with a Glance of its own.
"""

import collections.abc
import functools
import json
import pathlib
import re
import shutil
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
# 2.1 deprecates what Nova 34 uses, and Nova's tests make that an error.
_CONSTRAINTS = ('sqlalchemy<2.1',)
_CODE = ('import sys; from nova_image.tests.gate import nova_tests; '
         'nova_tests.main(*sys.argv[1:])')
# What tells Nova not to use eventlet.
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

#: What each of Nova's tests has the driver ask of Glance.
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
    """A test that wants what the drivers do not give."""

    #: Why they do not.
    reason: str
    #: What its failure says, as a regular expression.
    failure: str
    #: The test that checks the same where it is to be found.
    counterpart: str


#: The tests that cannot apply, by their ids.
INAPPLICABLE = {
    _SERVERS + _OWNERS: Inapplicable(
        'Nova\'s stand-in for Glance puts the owner and instance_owner among '
        'the properties that the images proxy shows. With a Glance the one '
        'is the owner of the image, and the other a member of it.',
        "'owner' not in {",
        _OURS + 'SnapshotByAdminTest.' + _OWNERS),
    **{_SAMPLES + _DETAILS + urls: Inapplicable(
        'One image has a property that is null, ramdisk_id. The drivers '
        'leave it out: v1 shows no such property of an image.',
        r"items in template:\n[^\n]*'ramdisk_id': None}[^\n]*\n"
        r'Extra list items in Response:\n[^\n]*\nTemplate: ',
        _OURS + 'ImagesDetailsTest.' + _DETAILS + urls) for urls in _URLS},
}


class Outcome(typing.NamedTuple):
    """How a test ended."""

    #: ``success``, or what else testtools says.
    status: str
    #: Why.
    traceback: str
    #: The end of what Nova logged.
    log: str
    #: What Glance was asked, images being called ID.
    requests: list[str]


class Glance(fixtures.Glance):
    """A Glance for the images of Nova's tests.

    It takes any text for the id of a kernel, and ``raw`` for a container.
    """

    def __init__(self) -> None:
        """Describe it."""
        formats = 'ami,ari,aki,bare,ovf,ova,docker,compressed'
        super().__init__(options={
            'image_format': {'container_formats': formats + ',raw'}})

    def _configure(self) -> None:
        super()._configure()
        text = {'type': ['null', 'string']}
        (self.folder / 'schema-image.json').write_text(json.dumps(
            {'kernel_id': text, 'ramdisk_id': text}))


class Virtualenv(nova_virtualenv.NovaVirtualenv):
    """Nova, what its tests need, and the samples that they read."""

    def __init__(self) -> None:
        """Describe it."""
        super().__init__('nova34-tests', _REQUIREMENTS,
                         constraints=_CONSTRAINTS)

    @property
    def doc(self) -> pathlib.Path:
        """The folder that holds ``api_samples``."""
        return self.path / 'doc'

    def _install(self, log: pathlib.Path) -> None:
        super()._install(log)
        # They are in the source alone.
        processes.run(
            [self.bin / 'python', '-m', 'pip', 'download', '-q',
             '--disable-pip-version-check', '--no-deps', '--no-binary',
             'nova', '-d', self.path, _NOVA], log, self._pip_environment())
        samples = self.doc / 'api_samples' / 'images'
        samples.mkdir(parents=True)
        with tarfile.open(self.path / 'nova-34.0.0.tar.gz') as source:
            for member in source:
                if member.isfile() and _SAMPLE_FILES in member.name:
                    with source.extractfile(member) as sample:
                        (samples / pathlib.Path(member.name).name
                         ).write_bytes(sample.read())


class NovaTests(base.Fixture):
    """A Glance, and the tests in Nova's virtualenv.

    :ivar glance: the Glance
    """

    def __init__(self, virtualenv: Virtualenv) -> None:
        """Describe it; Glance is started when the fixture is set up.

        :param virtualenv: set up already
        """
        super().__init__()
        self.glance = Glance()
        self._virtualenv = virtualenv
        self._run_folder = paths.RunFolder('nova-tests')

    def _setUp(self) -> None:
        self.useFixture(self.glance)
        self.useFixture(self._run_folder)

    def run(self, concurrency: str) -> dict[str, Outcome]:
        """Run the tests to their end, whether they pass or not.

        :param concurrency: ``eventlet`` or ``threads``
        :returns: how each test ended, by its id
        :raises nova_image.tests.fixtures.ProcessFailed: they did not run
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
                # As Nova's own runs have it.
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
    """What Nova's tests say, and what they asked."""

    outcomes: dict[str, dict[str, Outcome]] = {}

    @classmethod
    def setUpClass(cls) -> None:
        """Run the tests, with eventlet and with threads at once."""
        super().setUpClass()
        with Virtualenv() as virtualenv:
            def run(concurrency: str) -> None:
                with NovaTests(virtualenv) as tests:
                    cls.outcomes[concurrency] = tests.run(concurrency)

            base.together(*(functools.partial(run, concurrency)
                            for concurrency in _CONCURRENCY))

    def _each(self) -> collections.abc.Iterator[tuple[str, Outcome]]:
        """Yield the id and the outcome of each test of each run."""
        self.assertEqual(set(_CONCURRENCY), set(self.outcomes))
        for outcomes in self.outcomes.values():
            yield from outcomes.items()

    def test_run(self) -> None:
        """All of them ran, and the counterparts of those that cannot apply."""
        counterparts = [test.counterpart for test in INAPPLICABLE.values()]
        for concurrency, outcomes in self.outcomes.items():
            self.assertEqual(sorted([*REQUESTS, *counterparts]),
                             sorted(outcomes), concurrency)

    def test_pass(self) -> None:
        """All pass but those that cannot apply."""
        self.assertEqual({}, {
            name: outcome for name, outcome in self._each()
            if name not in INAPPLICABLE and outcome.status != 'success'})

    def test_inapplicable(self) -> None:
        """Those that cannot apply fail, and for the reason that is given."""
        for name, outcome in self._each():
            if name in INAPPLICABLE:
                test = INAPPLICABLE[name]
                self.assertNotEqual('success', outcome.status, (
                    '%s applies by now. What was said of it: %s'
                    % (name, test.reason)))
                self.assertRegex(outcome.traceback, test.failure)

    def test_requests(self) -> None:
        """Each of them asked Glance what it had to, and nothing else."""
        for name, outcome in self._each():
            if name in REQUESTS:
                self.assertEqual(REQUESTS[name], outcome.requests, name)
