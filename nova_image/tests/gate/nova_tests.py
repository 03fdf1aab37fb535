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

Nova's functional tests bring a Nova with its API, conductor, scheduler and
compute in one process, and a stand-in for each other service. Here a Glance
that runs takes the place of the stand-in for it
(nova.tests.fixtures.GlanceFixture), with the same images, and nova_image is
installed in front of it; all else is as Nova has it::

    nova_tests.main(settings_file, results_file)

Two of Nova's tests ask for what the stand-in says and an image service does
not. They run all the same, and beside each of them its counterpart, a
subclass that asks for what there is.
"""

import collections.abc
import json
import os
import pathlib
import sqlite3
import typing
import unittest

# First: it decides on eventlet for the process.
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
    """What the tests are run on."""

    #: Where Glance answers.
    url: str
    #: Its database, a file of sqlite.
    database: str
    #: The file in which it notes the requests that it answered.
    record: str
    #: The folder of Nova's sources that holds ``api_samples``.
    doc: str


class GlanceFixture(testing_fixtures.Fixture):
    """A Glance that runs, as Nova's tests want it, behind nova_image.

    :ivar image1: and so on: Nova's well-known images, by the names that they
        have in Nova's stand-in
    :cvar settings: what main() was told
    :cvar mark: how long the record was when the last test got its images
    """

    settings: Settings
    mark = 0

    def __init__(self, test: unittest.TestCase) -> None:
        """Describe it.

        :param test: the test that wants it, as with Nova's stand-in
        """
        super().__init__()
        vars(self).update(_WELL_KNOWN)

    def _setUp(self) -> None:
        self.useFixture(nova_fixtures.ConfPatcher(
            group='glance', api_servers=[self.settings.url]))
        # What install() replaces.
        for module, name in (
                (nova_glance, 'get_default_image_service'),
                (nova_glance, 'get_remote_image_service'),
                (logging, 'setup')):
            self.addCleanup(setattr, module, name, getattr(module, name))
        self._fill(bridge.install(CONF))
        type(self).mark = os.path.getsize(self.settings.record)

    def _fill(self, service: typing.Any) -> None:
        """Put Nova's images, and nothing else, into Glance."""
        self._execute(('DELETE FROM ' + table, ()) for table in _TABLES)
        # The tests change them as users of this project.
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
    """Yield what makes Glance's images Nova's, and no API does.

    The stand-in has no data of them either. Microseconds, which no API
    shows, keep them in its order: Glance lists the newest first.
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
    """Nova's test of an admin's snapshot, with what Glance says.

    The test looks for owner and member among the image's properties, where
    the stand-in leaves them.
    """

    def setUp(self) -> None:
        """Have the images that Nova lists completed."""
        super().setUp()
        client = self.api_fixture.alternative_admin_api
        listed = client.get_images
        client.get_images = lambda: [_with_owners(image)
                                     for image in listed()]


def _with_owners(image: Image) -> Image:
    """Return an image of Nova's with what Glance says of its owners."""
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
    """Nova's test of a listing, where null is as good as no property."""

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
    """Put what Nova's tests use in the place of what they would use."""
    GlanceFixture.settings = settings
    pathlib.Path(settings.record).touch()
    nova_fixtures.GlanceFixture = GlanceFixture
    # An installed Nova has no documentation beside it.
    base = api_samples_test_base.ApiSampleTestBase
    base._get_sample = classmethod(
        lambda cls, name, api_version=None: cls._get_sample_path(
            name, settings.doc, api_version=api_version))
    # Nova 34 has no such option, for it is never without Keystone. Its tests
    # are: they take the middleware out, and their contexts have no tokens.
    CONF.register_opt(cfg.StrOpt('auth_strategy', default='noauth2'), 'api')


def main(settings_file: str, results_file: str) -> None:
    """Run the tests.

    :param settings_file: the file that holds the Settings
    :param results_file: the file to write: a JSON object with an object for
        each test, by its id: ``status`` (``success`` or what else testtools
        says), ``details`` (why not) and ``begin`` and ``end``, the marks in
        Glance's record between which the test's own requests are
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
