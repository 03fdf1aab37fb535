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

MEANINGS is what help, manual and documentation tell of them.
"""

DONE = 0
OTHER = 1
USAGE = 2
NOT_FOUND = 3
NOT_AUTHORIZED = 4
REFUSED = 5
CONFLICT = 6
NO_ROOM = 7
NOT_SUPPORTED = 8
NO_CONNECTION = 9
NOT_WHOLE = 10
LOCAL_FILE = 11
IMPORT_FAILED = 12
TIMED_OUT = 13
INTERRUPTED = 130
BROKEN_PIPE = 141
TERMINATED = 143

#: code -> what it means
MEANINGS = {
    DONE: 'done',
    OTHER: 'another error, or several errors of different kinds',
    USAGE: 'the command line, the environment or clouds.yaml is wrong',
    NOT_FOUND: 'there is no such image, store or member to be seen',
    NOT_AUTHORIZED: 'Keystone or Glance refuses the caller',
    REFUSED: 'Glance refuses the request, or the image cannot be used so',
    CONFLICT: "the image's state or its ID is in the way, or it is in use",
    NO_ROOM: 'a quota is exceeded, or the disk is full',
    NOT_SUPPORTED: 'this version of the Images API cannot do it',
    NO_CONNECTION: 'Keystone or Glance cannot be reached or does not work',
    NOT_WHOLE: 'image data did not arrive whole, or cannot be trusted',
    LOCAL_FILE: 'a local file cannot be read or written',
    IMPORT_FAILED: 'Glance could not import or copy the data',
    TIMED_OUT: 'an import or a copy was not seen to end in time',
    INTERRUPTED: 'Ctrl-C; what was begun is undone, or kept where it says so',
    BROKEN_PIPE: 'whoever read the output has stopped reading',
    TERMINATED: 'SIGTERM, likewise (129: SIGHUP)',
}
