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

"""Nova's own image tests on a real Glance; runs in Nova's virtualenv.

Nova's functional tests run the API, conductor, scheduler and compute of Nova
in one process, with a stand-in for each other service. Here a running Glance
with the same images replaces its stand-in (nova.tests.fixtures.GlanceFixture),
and nova_image is installed in front of it. Nothing else differs from Nova's
tests::

    nova_tests.main(settings_file, results_file)

Two of Nova's tests expect answers of the stand-in that an image service does
not give. They run anyway, and each has a counterpart: a subclass that expects
the answers of a real Glance.
"""

import collections.abc
import json
import os
import pathlib
import sqlite3
import typing
import unittest

# Must be the first import: it decides whether the process uses eventlet.
from nova.tests import functional  # noqa: F401

import fixtures as testing_fixtures
import nova.conf
from nova import context
from nova.image import glance as nova_glance
from nova.tests import fixtures as nova_fixtures
from nova.tests.fixtures import glance as stand_in
from nova.tests.functional.api_sample_tests import test_images as samples
from nova.tests.functional import api_samples_test_base
from nova.tests.functional import test_images
from oslo_config import cfg
from oslo_log import log as logging
import requests
import testtools

from nova_image.host import bridge

CONF = nova.conf.CONF
_TABLES = ('image_locations', 'image_members', 'image_properties',
           'image_tags', 'images')
_WELL_KNOWN = {name: image
               for name, image in vars(stand_in.GlanceFixture).items()
               if isinstance(image, dict) and 'status' in image}

Image = dict[str, typing.Any]
Statement = tuple[str, tuple[typing.Any, ...]]


class Settings(typing.NamedTuple):
    """The environment of the tests."""

    #: The URL of Glance.
    url: str
    #: The file of its sqlite database.
    database: str
    #: The file in which it records its requests.
    record: str
    #: The folder of Nova's sources that contains ``api_samples``.
    doc: str


class GlanceFixture(testing_fixtures.Fixture):
    """The running Glance behind nova_image, prepared for Nova's tests.

    :ivar image1: and so on: Nova's well-known images, with the same names as
        in Nova's stand-in
    :cvar settings: the Settings of main()
    :cvar mark: the size of the record when the last test got its images
    """

    settings: Settings
    mark = 0

    def __init__(self, test: unittest.TestCase) -> None:
        """Create the fixture.

        :param test: the test that uses it, as for Nova's stand-in
        """
        super().__init__()
        vars(self).update(_WELL_KNOWN)

    def _setUp(self) -> None:
        self.useFixture(nova_fixtures.ConfPatcher(
            group='glance', api_servers=[self.settings.url]))
        # install() replaces these.
        for module, name in (
                (nova_glance, 'get_default_image_service'),
                (nova_glance, 'get_remote_image_service'),
                (logging, 'setup')):
            self.addCleanup(setattr, module, name, getattr(module, name))
        self._fill(bridge.install(CONF))
        type(self).mark = os.path.getsize(self.settings.record)

    def _fill(self, service: typing.Any) -> None:
        """Replace all images in Glance by Nova's."""
        self._execute(('DELETE FROM ' + table, ()) for table in _TABLES)
        # The users of the tests, who change the images, are in this project.
        maker = context.RequestContext(
            'admin', api_samples_test_base.PROJECT_ID, is_admin=True,
            roles=['reader', 'member', 'admin'])
        for image in _WELL_KNOWN.values():
            service.create(maker, image)
        self._execute(_completion())

    def _execute(self, statements: collections.abc.Iterable[Statement]
                 ) -> None:
        connection = sqlite3.connect(self.settings.database, timeout=30)
        with connection:
            for statement, values in statements:
                connection.execute(statement, values)
        connection.close()


def _completion() -> collections.abc.Iterator[Statement]:
    """Yield statements that make the images equal to Nova's.

    No API can make these changes. The images have no data in the stand-in
    either. Glance lists the newest image first; microseconds, which no API
    shows, keep the order of the stand-in.
    """
    for place, image in enumerate(_WELL_KNOWN.values()):
        moment = str(image['created_at'].replace(
            tzinfo=None, microsecond=len(_WELL_KNOWN) - place))
        yield ('UPDATE images SET status = ?, size = ?, created_at = ?, '
               'updated_at = ? WHERE id = ?',
               (image['status'], image['size'], moment, moment, image['id']))
        for name, value in image['properties'].items():
            if value is None:
                yield ('INSERT INTO image_properties (image_id, name, '
                       'created_at, deleted) VALUES (?, ?, ?, 0)',
                       (image['id'], name, moment))


class SnapshotByAdminTest(test_images.ImagesTest):
    """Nova's test of an admin's snapshot, adapted to Glance.

    The test expects the owner and the member among the properties of the
    image, where the stand-in keeps them.
    """

    def setUp(self) -> None:
        """Add owners to the images that Nova lists."""
        super().setUp()
        client = self.api_fixture.alternative_admin_api
        listed = client.get_images
        client.get_images = lambda: [_with_owners(image)
                                     for image in listed()]


def _with_owners(image: Image) -> Image:
    """Return an image of Nova with its owner and member in Glance."""
    def ask(path: str) -> Image:
        answer = requests.get(
            '%s/v2/images/%s' % (GlanceFixture.settings.url, path),
            headers={'X-Identity-Status': 'Confirmed', 'X-Roles': 'admin',
                     'X-User-Id': 'admin', 'X-Tenant-Id': 'admin'})
        answer.raise_for_status()
        return answer.json()

    found = ask(image['id'])
    image['metadata']['owner'] = found['owner']
    if found['visibility'] == 'shared':
        [member] = ask(image['id'] + '/members')['members']
        image['metadata']['instance_owner'] = member['member_id']
    return image


class ImagesDetailsTest(samples.ImagesSampleJsonTest):
    """Nova's test of a list, where a property may be null or missing."""

    def _compare_result(self, expected: typing.Any, result: typing.Any,
                        result_str: str) -> typing.Any:
        return super()._compare_result(
            _without_nulls(expected), _without_nulls(result), result_str)


def _without_nulls(value: typing.Any) -> typing.Any:
    if not isinstance(value, dict):
        return value
    return {name: one for name, one in value.items() if one is not None}


def _suite() -> unittest.TestSuite:
    load = unittest.defaultTestLoader.loadTestsFromModule
    return unittest.TestSuite([
        load(test_images), load(samples),
        SnapshotByAdminTest('test_admin_snapshot_user_image_access_member'),
        ImagesDetailsTest('test_images_details')])


def _prepare(settings: Settings) -> None:
    """Replace the parts of Nova's tests that need the stand-in."""
    GlanceFixture.settings = settings
    pathlib.Path(settings.record).touch()
    nova_fixtures.GlanceFixture = GlanceFixture
    # An installed Nova does not include the documentation.
    base = api_samples_test_base.ApiSampleTestBase
    base._get_sample = classmethod(
        lambda cls, name, api_version=None: cls._get_sample_path(
            name, settings.doc, api_version=api_version))
    # Nova 34 lacks this option, because it always has Keystone. Its tests do
    # not: they remove the middleware, and their contexts have no tokens.
    CONF.register_opt(cfg.StrOpt('auth_strategy', default='noauth2'), 'api')


def main(settings_file: str, results_file: str) -> None:
    """Run the tests.

    :param settings_file: the file with the Settings
    :param results_file: the file to write: a JSON object with an object for
        each test, by ID: ``status`` (of testtools, such as ``success``),
        ``details`` (of failures), and ``begin`` and ``end``, between which
        Glance's record has the requests of the test
    """
    with open(settings_file) as settings:
        _prepare(Settings(**json.load(settings)))
    results: dict[str, dict[str, typing.Any]] = {}

    def note(test: unittest.TestCase, status: str, details: dict[
            str, testtools.content.Content], **rest: typing.Any) -> None:
        results[test.id()] = {
            'status': status,
            'details': {name: content.as_text()
                        for name, content in (details or {}).items()},
            'begin': GlanceFixture.mark,
            'end': os.path.getsize(GlanceFixture.settings.record)}

    _suite().run(testtools.TestByTestResult(note))
    with open(results_file, 'w') as written:
        json.dump(results, written)
