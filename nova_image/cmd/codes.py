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

"""Exit codes of nova-image; scripts may rely on them.

The help, the manual page and the documentation show MEANINGS.
"""

DONE = 0
OTHER = 1
USAGE = 2
NOT_FOUND = 3
NOT_AUTHORIZED = 4
REFUSED = 5
CONFLICT = 6
NO_SPACE = 7
NOT_SUPPORTED = 8
NO_CONNECTION = 9
BAD_DATA = 10
LOCAL_FILE = 11
IMPORT_FAILED = 12
TIMED_OUT = 13
DIFFERENT = 14
INCOMPLETE = 15
INTERRUPTED = 130
BROKEN_PIPE = 141
TERMINATED = 143

#: code -> its meaning
MEANINGS = {
    DONE: 'success',
    OTHER: 'any other error, or several errors of different kinds',
    USAGE: 'the command line, the environment or clouds.yaml is invalid',
    NOT_FOUND: 'the image, store or member does not exist or is not visible',
    NOT_AUTHORIZED: 'Keystone or Glance denied access',
    REFUSED: 'Glance rejected the request, or the image cannot be used this '
             'way',
    CONFLICT: 'the image is in use or in the wrong state, or a name or ID is '
              'not unique',
    NO_SPACE: 'a quota is exceeded, or the disk is full',
    NOT_SUPPORTED: 'the Images API version does not support the operation',
    NO_CONNECTION: 'Keystone or Glance is unreachable or not working',
    BAD_DATA: 'image data is incomplete, corrupt or not trusted',
    LOCAL_FILE: 'a local file or a standard stream cannot be read or '
                'written',
    IMPORT_FAILED: 'Glance failed to import or copy the data',
    TIMED_OUT: 'waiting for an import or a copy timed out',
    DIFFERENT: 'compare or a dry run found images that differ',
    INCOMPLETE: 'some images could not be replicated, or are in conflict',
    INTERRUPTED: 'Ctrl-C; unless reported otherwise, nothing is left behind',
    BROKEN_PIPE: 'the reader of the output closed the pipe',
    TERMINATED: 'SIGTERM, handled like Ctrl-C (129: SIGHUP)',
}
