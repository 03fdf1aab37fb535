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

"""All metrics, with their names, types, units and labels.

The values of each label are limited: none is an image, a user or a URL.
"""

import collections
import itertools

#: A metric.
#:
#: * ``name``: as Prometheus shows it
#: * ``kind``: ``counter``, ``gauge`` or ``histogram``
#: * ``unit``: of its value
#: * ``labels``: tuple of their names, in the order of the values
#: * ``help``: what it measures
Metric = collections.namedtuple('Metric', 'name kind unit labels help')

#: upper bounds of the buckets of a duration, in seconds
BUCKETS = {
    'nova_image_request_seconds': (
        .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60),
    'nova_image_transfer_seconds': (
        .1, .5, 1, 5, 10, 30, 60, 300, 900, 1800, 3600, 14400),
    'nova_image_import_seconds': (
        .1, .5, 1, 5, 10, 30, 60, 300, 900, 1800, 3600, 14400),
}

INFO = Metric(
    'nova_image_info', 'gauge', '1', ('version', 'driver', 'service'),
    'Always 1: the release of nova_image, its driver (v1 or v2) and the '
    'program that uses it.')
REQUESTS = Metric(
    'nova_image_requests_total', 'counter', 'requests', ('call', 'status'),
    'Requests to Glance, with each attempt of a retry, by the call of the '
    'Images API and the status of the answer (none without an answer).')
REQUEST_SECONDS = Metric(
    'nova_image_request_seconds', 'histogram', 'seconds', ('call',),
    'Time from a request to the head of its answer. That of an upload '
    'includes its data.')
RETRIES = Metric(
    'nova_image_retries_total', 'counter', 'requests', ('call',),
    'Requests that were sent again after a failure.')
ENDPOINT_UP = Metric(
    'nova_image_endpoint_up', 'gauge', '0 or 1', ('endpoint',),
    'Whether the last request to an API server, host:port, was answered.')
ENDPOINT_FAILURES = Metric(
    'nova_image_endpoint_failures_total', 'counter', 'failures',
    ('endpoint',),
    'Failures after which an API server, host:port, is avoided for a while.')
TRANSFERS = Metric(
    'nova_image_transfers_total', 'counter', 'transfers',
    ('direction', 'source', 'result'),
    'Attempts to move the data of an image, by direction (download, upload '
    'or stage), by where the data comes from or goes to, and by result.')
TRANSFER_BYTES = Metric(
    'nova_image_transfer_bytes_total', 'counter', 'bytes',
    ('direction', 'source'),
    'Size of the data of complete and verified transfers.')
TRANSFER_SECONDS = Metric(
    'nova_image_transfer_seconds', 'histogram', 'seconds',
    ('direction', 'source'),
    'Duration of complete and verified transfers, with all waits and '
    'attempts.')
RESUMES = Metric(
    'nova_image_resumes_total', 'counter', 'resumes', (),
    'Downloads that were interrupted and resumed where they stopped.')
VERIFICATIONS = Metric(
    'nova_image_verifications_total', 'counter', 'verifications',
    ('check', 'result'),
    'Comparisons of data with what Glance recorded, by the hash algorithm, '
    'or size, signature or format, and by result (ok or failed).')
IMPORTS = Metric(
    'nova_image_imports_total', 'counter', 'imports', ('method', 'result'),
    'Imports, by the method of Glance and by result: imported, converted, '
    'failed, timed_out, begun (nobody waited for the end) or error.')
IMPORT_SECONDS = Metric(
    'nova_image_import_seconds', 'histogram', 'seconds', ('method',),
    'Duration of successful imports, with the staging of the data.')
UNDOS = Metric(
    'nova_image_undos_total', 'counter', 'images', ('result',),
    'Images that a failed call had created: deleted, left behind, or kept '
    'because the caller asked for it.')

#: all metrics, in the order of the documentation
ALL = (INFO, REQUESTS, REQUEST_SECONDS, RETRIES, ENDPOINT_UP,
       ENDPOINT_FAILURES, TRANSFERS, TRANSFER_BYTES, TRANSFER_SECONDS,
       RESUMES, VERIFICATIONS, IMPORTS, IMPORT_SECONDS, UNDOS)

#: how a transfer can end
RESULTS = ('ok', 'corrupt', 'refused', 'interrupted', 'failed', 'stopped')
_METHODS = ('glance-direct', 'web-download', 'glance-download', 'copy-image')
_IMPORTED = ('imported', 'converted', 'failed', 'timed_out', 'begun', 'error')
_DIRECT = ('shared', 'file', 'rbd', 'swift')
_USUAL = (('list', '200'), ('show', '200'), ('show', '404'),
          ('create', '201'), ('update', '200'), ('delete', '204'),
          ('download', '200'), ('upload', '204'), ('stage', '204'),
          ('import', '202'))
_CALLS = sorted({call for call, _ in _USUAL})
_CHECKS = ('sha512', 'md5', 'size', 'signature', 'format')


def _all_of(metric, *values):
    return [(metric, labels) for labels in itertools.product(*values)]


#: What exists from the start of a process, as (metric, labels). An increase
#: from nothing to 1 is none to Prometheus.
ZEROS = (
    [(REQUESTS, labels) for labels in _USUAL] +
    _all_of(REQUESTS, _CALLS, ('none', '500', '503')) +
    _all_of(REQUEST_SECONDS, _CALLS) +
    _all_of(RETRIES, _CALLS) +
    _all_of(TRANSFER_SECONDS, ('download', 'upload'), ('http',)) +
    _all_of(TRANSFERS, ('download', 'upload', 'stage'), ('http',), RESULTS) +
    _all_of(TRANSFERS, ('download',), _DIRECT, RESULTS) +
    _all_of(TRANSFER_BYTES, ('download', 'upload', 'stage'), ('http',)) +
    _all_of(TRANSFER_BYTES, ('download',), _DIRECT) +
    _all_of(VERIFICATIONS, _CHECKS, ('ok', 'failed')) +
    _all_of(IMPORTS, _METHODS, _IMPORTED) +
    _all_of(UNDOS, ('deleted', 'left', 'kept')) +
    _all_of(RESUMES))
