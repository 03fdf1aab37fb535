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


"""Tests of nova_image.image.download.rbd, on a fake Ceph."""

import os
import threading

import fixtures
import mock
from oslo_config import cfg
import six

from nova_image import exception
from nova_image.image.download import rbd
from nova_image.image import sizes
from nova_image.tests.unit.image.download import case
from nova_image.tests.unit.image.download import fake_ceph

MIB = case.MIB
DATA = os.urandom(9 * MIB + 12345)
URL = 'rbd://%s/images/image/snap' % fake_ceph.FSID


class RbdTest(case.DownloadTest):
    """Base class: an image of random bytes, and a handler."""

    def setUp(self):
        super(RbdTest, self).setUp()
        self.ceph = self.useFixture(fake_ceph.Cluster())
        self.set(enable_rbd_download=True, rbd_user='nova',
                 rbd_ceph_conf='/etc/ceph/ceph.conf')
        self.handler = rbd.RbdHandler(self.conf)
        self.image = self.put(DATA)

    def put(self, data, *extents):
        """Put an image into the pool, and return it."""
        self.image = fake_ceph.Image(data, extents or None)
        self.ceph.images['images', 'image', 'snap'] = self.image
        return self.image

    def refused(self, reason, url=URL, check=None):
        """Assert that a URL is refused for a reason, and all is closed."""
        error = self.assertRaises(exception.ImageDownloadUnavailable,
                                  self.copied, self.handler, url, check)
        self.assertIn(reason, six.text_type(error))
        self.assert_closed()

    def assert_closed(self):
        """Assert that nothing is open or pending."""
        self.assertEqual((0, 0, 0), (self.ceph.open, self.image.opened,
                                     self.image.pending))


class TestCopy(RbdTest):
    """The data of the copy."""

    def test_a_whole_image_is_copied(self):
        self.assertEqual(DATA, self.copied(self.handler, URL))
        self.assert_closed()
        self.assertThat(self.image.most_pending,
                        case.matchers.LessThan(rbd.WINDOW + 1))

    def test_reads_may_finish_in_any_order(self):
        last = threading.Event()

        def hold(offset):
            ahead = rbd.WINDOW - 1
            if offset == ahead * sizes.CHUNK:
                last.set()
            elif offset < ahead * sizes.CHUNK:
                last.wait(10)

        self.image.hold = hold
        self.assertEqual(DATA, self.copied(self.handler, URL))
        self.assertTrue(last.is_set())

    def test_an_empty_image_is_copied(self):
        self.put(b'')
        self.assertEqual(b'', self.copied(self.handler, URL))

    def _sparse(self):
        size, objects = 100 * MIB + 5, [1, 2, 5, 12]
        data = bytearray(size)
        for number in objects:
            start = number * fake_ceph.OBJECT
            data[start:start + 10] = b'0123456789'[:size - start]
        # Objects are reported in any order, and the last in its full size.
        self.put(bytes(data), *[
            (number * fake_ceph.OBJECT, fake_ceph.OBJECT, True)
            for number in reversed(objects)])
        return bytes(data), objects

    def test_holes_are_not_read_and_not_written(self):
        data, objects = self._sparse()
        self.assertEqual(data, self.copied(self.handler, URL))
        self.assertThat(self.allocated(), case.matchers.LessThan(
            5 * MIB))
        self.assertEqual(
            sum(min(fake_ceph.OBJECT, len(data) - number * fake_ceph.OBJECT)
                for number in objects),
            sum(length for _, length in self.image.requested))

    def test_extents_are_requested_span_by_span(self):
        self.useFixture(fixtures.MonkeyPatch(
            'nova_image.image.download.rbd.SPAN', 2 * fake_ceph.OBJECT))
        data, _ = self._sparse()
        self.assertEqual(data, self.copied(self.handler, URL))

    def test_overlapping_extents_are_read_once(self):
        self.put(DATA, (0, 5 * MIB, True), (2 * MIB, MIB, True),
                 (4 * MIB, 6 * MIB, True), (0, 10 * MIB, False))
        self.assertEqual(DATA, self.copied(self.handler, URL))
        self.assertEqual(len(DATA), sum(
            length for _, length in self.image.requested))

    def test_zeros_among_data_become_holes(self):
        block = sizes.BLOCK
        data = bytearray(8 * MIB + 5)
        for begin in (block - 1, 20 * block, 8 * MIB):
            data[begin:begin + 5] = b'01234'
        self.put(bytes(data))
        self.assertEqual(bytes(data), self.copied(self.handler, URL))
        # One of them spans two blocks.
        self.assertThat(self.allocated(), case.matchers.LessThan(
            4 * block + 1))

    def test_an_image_without_data_takes_no_space(self):
        self.put(bytes(bytearray(20 * MIB)), (0, 20 * MIB, False))
        self.assertEqual(20 * MIB, len(self.copied(self.handler, URL)))
        self.assertEqual(0, self.allocated())

    def test_a_short_read_is_refused(self):
        self.image.answers[sizes.CHUNK] = 1000
        self.refused('at %d of the RBD image returned 1000' % sizes.CHUNK)

    def test_a_failed_read_is_refused(self):
        self.image.answers[0] = -110
        self.refused('returned -110')

    def test_an_error_of_the_check_is_raised(self):
        def refuse(count):
            raise exception.ImageUnacceptable(reason='I do not like it')

        self.assertRaises(exception.ImageUnacceptable, self.copied,
                          self.handler, URL, case.Check(refuse))
        self.assert_closed()


class TestUrls(RbdTest):
    """Which URLs are served."""

    def test_names_are_percent_decoded(self):
        image = self.put(DATA)
        self.ceph.images['an/image pool', 'image@1', 'snap'] = image
        self.assertEqual(DATA, self.copied(
            self.handler, u'rbd://%s/an%%2Fimage%%20pool/image%%401/snap'
            % fake_ceph.FSID))

    def test_other_urls_are_refused(self):
        for url in ('rbd://image', 'rbd://%s/images/image' % fake_ceph.FSID,
                    URL + '/more', URL.replace('/image/', '//'), URL[:-4],
                    'http' + URL[3:]):
            self.refused('rbd://FSID/POOL/IMAGE/SNAPSHOT', url)
        self.assertEqual([], self.ceph.connections)

    def test_an_image_of_another_cluster_is_refused(self):
        self.refused('in the Ceph cluster other, and this host',
                     'rbd://other/images/image/snap')

    def test_a_missing_pool_is_refused(self):
        self.refused('not found', URL.replace('images', 'backups'))

    def test_a_missing_image_or_snapshot_is_refused(self):
        self.refused('RBD image not found', URL.replace('image/', 'none/'))
        self.refused('RBD image not found', URL + '2')


class TestConnection(RbdTest):
    """The connection to the cluster."""

    def _connection(self):
        self.copied(self.handler, URL)
        connection, = self.ceph.connections
        return connection

    def test_options_are_passed_to_the_cluster(self):
        self.set(rbd_connect_timeout=7)
        self.assertEqual({
            'rados_id': 'nova', 'conffile': '/etc/ceph/ceph.conf', 'conf': {
                'client_mount_timeout': '7', 'rados_mon_op_timeout': '7',
                'rbd_cache': 'false', 'rados_osd_op_timeout': '60',
                'ms_async_op_threads': '1'}},
            self._connection())

    def test_options_that_an_older_ceph_lacks_are_left_out(self):
        self.ceph.unknown.append('ms_async_op_threads')
        options = self._connection()['conf']
        self.assertNotIn('ms_async_op_threads', options)
        self.assertEqual('60', options['rados_osd_op_timeout'])

    def test_empty_options_leave_the_defaults_of_ceph(self):
        self.set(rbd_user='', rbd_ceph_conf='', rbd_connect_timeout=0)
        connection = self._connection()
        self.assertEqual(('', ''), (connection['rados_id'],
                                    connection['conffile']))
        self.assertEqual('0', connection['conf']['client_mount_timeout'])

    def test_options_of_libvirt_replace_empty_ones(self):
        self.set(rbd_user='', rbd_ceph_conf='')
        self.conf.register_opts([
            cfg.StrOpt('rbd_user', default='of-libvirt'),
            cfg.StrOpt('images_rbd_ceph_conf', default='/its.conf')],
            group='libvirt')
        connection = self._connection()
        self.assertEqual(('of-libvirt', '/its.conf'), (
            connection['rados_id'], connection['conffile']))

    def test_a_timeout_that_the_cluster_configures_is_kept(self):
        self.ceph.options['rados_osd_op_timeout'] = '5'
        self.assertEqual('5', self._connection()['conf'][
            'rados_osd_op_timeout'])

    def test_a_connection_failure_is_refused(self):
        self.ceph.failure = '[errno 110] RADOS timed out'
        self.refused('RADOS timed out')

    def test_missing_bindings_are_reported_with_their_package(self):
        for name in ('rados', 'rbd'):
            with mock.patch.dict('sys.modules', {name: None}):
                self.refused('cannot be imported')
                self.refused('python3-rbd')

    def test_the_handler_is_enabled_only_by_its_option(self):
        self.assertTrue(rbd.RbdHandler.enabled(self.conf))
        self.assertFalse(rbd.RbdHandler.enabled(self.new_conf()))
