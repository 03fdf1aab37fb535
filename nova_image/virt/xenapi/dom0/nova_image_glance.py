#!/usr/bin/env python
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

"""A XenAPI plugin that moves VHDs between Glance and a storage repository.

It runs in dom0, as a process of its own for each call, on the Python that is
there: 2.4 (XenServer 6.2 and 6.5), 2.7 (XenServer 7) or 3. So it is a single
file, needs only the standard library, and keeps to the syntax of Python 2.4;
``python -m tools.python24`` checks that. It knows no version of the Images
API: nova-compute passes complete requests.

Parameters and results are pickles of protocol 0, as in os-xenapi's plugins.
An error reaches nova-compute as the name of its class:

* ``RetryableError``: another attempt may succeed.
* ``PluginError``: it will not.
* ``ImageNotFound``: Glance answered 404.
"""

import binascii
import errno
import os
import pickle  # nosec
import re
import select
import shutil
import signal
import socket
import stat
import struct
import subprocess  # nosec
import sys
import syslog
import threading
import time
import zlib

try:
    import hashlib  # novm
except ImportError:  # Python 2.4
    hashlib = None
    import md5
try:
    import httplib
    import StringIO
    import urlparse
except ImportError:  # Python 3
    import http.client as httplib  # novm
    import io as StringIO  # novm
    import urllib.parse as urlparse  # novm
try:
    import json  # novm
except ImportError:  # Python 2.4
    try:
        import simplejson as json
    except ImportError:
        json = None
try:
    import ssl  # novm
except ImportError:  # Python 2.4
    ssl = None
try:
    from XenAPI import Failure
except ImportError:
    class Failure(Exception):
        """Takes the place of XenAPI's class outside of dom0."""

        def __init__(self, details):
            Exception.__init__(self, details)
            self.details = details

VERSION = '1.0'

#: seconds that a socket may be silent if the request does not say it
TIMEOUT = 90
#: bytes that are read or sent at a time
PIECE = 64 * 1024
#: bytes of the answer about an image, and of what a program says
MOST_JSON = 1024 * 1024
MOST_WORDS = 2000
#: the beginning of the names of staging folders; seconds without a sign of
#: life after which one is a leftover; seconds between two signs
STAGING = 'nova_image_glance-'
LEFTOVER = 6 * 60 * 60
SIGN_OF_LIFE = 30
#: how many members an archive may have
MOST_MEMBERS = 1000
#: bytes that the metadata of a VHD may need, besides 1/256 of its disk
VHD_METADATA = 64 * 1024 * 1024

_NOTHING = ''.encode('ascii')
_BYTES = type(_NOTHING)
_NUL = '\0'.encode('ascii')
_CRLF = '\r\n'.encode('ascii')
_BLOCK = 512
_OLD_NAMES = ('snap.vhd', 'image.vhd', 'base.vhd')
_NO_SPACE = re.compile('No space left|File too large|quota exceeded', re.I)
# None of them may be slow with text from elsewhere.
_CONTROL = re.compile('[^ -~]')
_DIGITS = re.compile('[0-9]{1,18}$')
_HIDDEN = re.compile('(?im)^hidden *: *1')
_LINES = re.compile('[\r\n]')
_MARKS = re.compile('"(?:[^"\\\\]|\\\\.)*"?|[][{}:,]|[^][{}:,"\\s]+', re.S)
_MD5 = re.compile('[0-9a-f]{32}$')
_NOT_IN_URLS = re.compile('[^!-~]')
_OCTAL = re.compile('[0-7]*$')
_RECORD = re.compile('([0-9]+) ([^=]+)=')
_SECRET = re.compile('token|auth|passw|secret|cookie', re.I)
_UUID = re.compile('^[0-9A-Za-z][0-9A-Za-z-]*$')
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

_secrets = []
_stagings = []


class RetryableError(Exception):
    """Another attempt may succeed."""


class PluginError(Exception):
    """Another attempt would fail, too."""


class ImageNotFound(Failure):
    """Glance does not have the image, or does not show it."""


class BadData(Exception):
    """What arrives is not an archive of VHDs that may be unpacked."""


class Ended(Exception):
    """A signal asks the process to end."""


def get_version(session):
    """Return the version of this plugin."""
    return VERSION


def download_vhd(session, request, uuid_stack, sr_path, checksum):
    """Download an image into a storage repository.

    :param request: ``url``, ``headers``, ``insecure``, ``timeout``
    :param uuid_stack: the UUIDs for its VHDs, the one of the leaf at the end
    :param sr_path: the folder of the storage repository
    :param checksum: ``md5`` and ``size`` as Glance recorded them, or None;
        ``algorithm`` and ``value`` of another hash that it recorded
    :returns: ``root``: ``uuid`` of the leaf; ``md5``, ``hashes`` and ``size``
        of the data
    """
    staging = _Staging(sr_path)
    try:
        staging.make()
        digests, size = _fetch(_Request(request), staging, checksum or {})
        chain = _Chain(staging)
        chain.find(list(uuid_stack))
        chain.check()
        chain.publish()
        return {'root': {'uuid': chain.uuids[0]}, 'md5': digests['md5'],
                'hashes': digests, 'size': size}
    finally:
        staging.remove()


def upload_vhd(session, request, vdi_uuids, sr_path, compression_level=None):
    """Upload VHDs of a storage repository as one image.

    :param request: ``url``, ``method``, ``headers``, ``expects``,
        ``insecure``, ``timeout``, and ``check``: how to ask for the status
        of the image, which must be that in ``expects`` of it; ``hash`` is
        the name of a hash to compute beside MD5
    :param vdi_uuids: the VHDs, the leaf first
    :param sr_path: the folder of the storage repository
    :param compression_level: that of gzip; its own if None
    :returns: ``md5``, ``hashes`` and ``size`` of what was sent
    """
    staging = _Staging(sr_path)
    try:
        staging.make()
        for number, name in enumerate(vdi_uuids):
            os.link(os.path.join(sr_path, _checked_uuid(name) + '.vhd'),
                    os.path.join(staging.path, '%d.vhd' % number))
        asked = _Request(request)
        if request.get('check'):
            _check_image(asked, request['check'])
        digests, size = _send(asked, staging, request, compression_level)
        return {'md5': digests['md5'], 'hashes': digests, 'size': size}
    finally:
        staging.remove()


# Text


def _native(value):
    """Return a text as a str."""
    if isinstance(value, str):
        return value
    if str is _BYTES:
        return value.encode('utf-8')
    return value.decode('latin-1')


def _text(data):
    """Return bytes as a str."""
    if isinstance(data, str):
        return data
    return data.decode('latin-1')


def _hide(text):
    """Return a text without the secrets of the requests.

    XML-RPC and a log cannot have control characters; Glance can send them.
    """
    for secret in _secrets:
        text = text.replace(secret, '***')
    return _CONTROL.sub('?', ' '.join(text.split()))[:MOST_WORDS]


def _log(text):
    syslog.syslog(syslog.LOG_INFO, _hide(text))


def _reason():
    """Return the exception that is being handled, as a text."""
    error = sys.exc_info()[1]
    return '%s: %s' % (error.__class__.__name__, error)


def _checked_uuid(name):
    name = _native(name)
    if not _UUID.match(name):
        raise PluginError('%r is not a UUID.' % name)
    return name


# Requests


class _Request(object):
    """Where and how to reach Glance."""

    def __init__(self, given):
        """Read the parameters of a request."""
        self.url = _native(given['url'])
        self.insecure = given.get('insecure')
        self.headers = _headers(given.get('headers'))
        self.timeout = float(given.get('timeout') or TIMEOUT)
        socket.setdefaulttimeout(self.timeout)

    def open(self, method, url=None, headers=None, more=()):
        """Return a connection on which the head of a request was sent."""
        if headers is None:
            headers = self.headers
        connection = _Connection(url or self.url, self.insecure, self.timeout)
        try:
            connection.ask(method, headers + list(more))
        except Exception:
            connection.close()
            raise
        return connection


def _headers(given):
    """Return pairs of names and values, and keep the secret ones in mind."""
    found = []
    for name, value in (given or {}).items():
        if value is None:
            continue
        if not hasattr(value, 'encode'):
            value = str(value)
        pair = (_native(name), _native(value))
        if _SECRET.search(pair[0]):
            if len(pair[1]) > 3:
                _secrets.append(pair[1])
        if _LINES.search(pair[0] + pair[1]):
            raise PluginError('The header %r has several lines.' % pair[0])
        found.append(pair)
    return found


class _Connection(object):
    """A connection for one request.

    Each step, such as a piece of a body, must end in time, even if a byte
    comes now and then, which is enough for the timeout of a socket.
    """

    def __init__(self, url, insecure, timeout=TIMEOUT):
        """Prepare to connect.

        :param insecure: whether not to verify the certificate
        :param timeout: seconds
        """
        self._timeout = timeout
        scheme, netloc, path, query = urlparse.urlsplit(_native(url))[:4]
        netloc = netloc.split('@')[-1]
        self.where = '%s://%s%s' % (scheme, netloc, path)
        self._target = path or '/'
        if query:
            self._target = '%s?%s' % (self._target, query)
        if scheme not in ('http', 'https') or not netloc or (
                _NOT_IN_URLS.search(netloc + self._target)):
            raise PluginError('Not a URL of HTTP: %r.' % self.where)
        try:
            self._open(scheme, netloc, insecure)
        except (httplib.InvalidURL, ValueError):
            raise PluginError('Not a URL of HTTP: %r.' % self.where)

    def _open(self, scheme, netloc, insecure):
        if scheme == 'http':
            self._http = httplib.HTTPConnection(netloc)
        elif hasattr(ssl, 'create_default_context'):
            context = ssl.create_default_context()  # novm
            if insecure:
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
            self._http = httplib.HTTPSConnection(  # novm
                netloc, context=context)
        elif insecure:
            self._http = httplib.HTTPSConnection(netloc)
        else:
            raise PluginError(
                'Python %s of dom0 cannot verify the certificate of %s. Give '
                'dom0 an http endpoint in a network that you trust, or set '
                '[glance] insecure to allow HTTPS without verification.'
                % (sys.version.split()[0], self.where))

    def _timed(self, function, *args):
        """Call a function, and raise socket.timeout if it is too late."""
        signal.alarm(int(self._timeout) + 1)
        try:
            return function(*args)
        finally:
            signal.alarm(0)

    def _send_head(self, method, headers):
        self._http.connect()
        self._http.putrequest(method, self._target)
        for name, value in headers:
            self._http.putheader(name, value)
        self._http.endheaders()

    def ask(self, method, headers):
        """Connect, and send the head of a request."""
        self._method = method
        try:
            self._timed(self._send_head, method, headers)
        except (socket.error, httplib.HTTPException):
            self.fail()
        except ValueError:  # a header, or the certificate on Python 2.7
            raise PluginError('%s %s: %s' % (method, self.where, _reason()))

    def send(self, data):
        """Send a part of the body.

        If Glance has stopped reading, its answer says why.
        """
        try:
            self._timed(self._http.send, data)
        except (socket.error, httplib.HTTPException):
            text = _reason()
            try:
                response = self.answer()
            except (RetryableError, PluginError):
                raise RetryableError('%s %s: %s' % (
                    self._method, self.where, text))
            self.refused(response)

    def answered(self):
        """Return whether there is an answer before the end of the body.

        It cannot be seen with TLS, where other data makes a socket readable.
        """
        if ssl is not None and isinstance(self._http.sock, ssl.SSLSocket):
            return False
        if not hasattr(self._http.sock, 'fileno'):
            return False
        return bool(select.select([self._http.sock], [], [], 0)[0])

    def refused(self, response):
        """Raise an error for an answer before the end of the body."""
        if response.status < 300:
            raise RetryableError('%s %s: Glance answered %d too early.' % (
                self._method, self.where, response.status))
        self.judge(response, ())

    def answer(self):
        """Return httplib's response."""
        try:
            response = self._timed(self._http.getresponse)
            if response.version == 9:  # what Python 2 takes for HTTP 0.9
                raise httplib.BadStatusLine('no status')
            return response
        except (socket.error, httplib.HTTPException, ValueError):
            self.fail()

    def read(self, response, count):
        """Return some bytes of a response."""
        try:
            return self._timed(response.read, count)
        # Python 2.4 raises ValueError if a chunk is cut.
        except (socket.error, httplib.HTTPException, ValueError):
            self.fail()

    def fail(self):
        """Raise an error for the exception that is being handled."""
        error, text = sys.exc_info()[1], _reason()
        wrong = getattr(ssl, 'CertificateError', None)
        if 'certificate verify failed' in text.lower() or (
                wrong is not None and isinstance(error, wrong)):
            raise PluginError('%s %s: %s' % (self._method, self.where, text))
        raise RetryableError('%s %s: %s' % (self._method, self.where, text))

    def judge(self, response, expected):
        """Raise an error unless the status of a response is expected."""
        status = response.status
        if status in expected:
            return
        text = '%s %s: Glance answered %d %s.' % (
            self._method, self.where, status, response.reason)
        if status == 404:
            raise ImageNotFound(['ImageNotFound', _hide(text)])
        if status in (408, 429) or (
                status >= 500 and status not in (501, 505, 510)):
            raise RetryableError(text)
        raise PluginError(text)

    def close(self):
        """Close the connection."""
        self._http.close()


# Processes


def _ignore_signals():
    """Let nothing interrupt what follows, until the process ends."""
    for number in _SIGNALS + (signal.SIGALRM,):
        signal.signal(number, signal.SIG_IGN)


def _prepare_child():
    """Make a child the leader of its group, with signals as tar expects."""
    os.setsid()
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_DFL)


def _environment(**more):
    """Return an environment in which programs speak English."""
    found = dict(os.environ)
    for name in ('TAR_OPTIONS', 'TAPE', 'GZIP'):
        found.pop(name, None)
    found['LC_ALL'] = 'C'
    found['PATH'] = '%s:/usr/sbin:/usr/bin:/sbin:/bin' % found.get('PATH', '')
    found.update(more)
    return found


class _Program(object):
    """A program that works in a staging folder; its errors are collected."""

    def __init__(self, staging, command, env, stdin=None):
        """Start it.

        :param stdin: subprocess.PIPE to write to it; otherwise it has none
        """
        self.name = command[0]
        self._words = _NOTHING
        null = os.open(os.devnull, os.O_RDONLY)
        try:
            self._process = subprocess.Popen(  # nosec
                command, bufsize=0, stdin=stdin or null,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                close_fds=True, env=env,
                preexec_fn=_prepare_child)  # noqa: PLW1509
        finally:
            os.close(null)
        staging.programs.append(self)
        self._listener = threading.Thread(target=self._listen)
        if hasattr(self._listener, 'daemon'):
            self._listener.daemon = True  # novm
        else:
            self._listener.setDaemon(True)
        self._listener.start()

    def _listen(self):
        """Read what it says, and keep the end."""
        while True:
            try:
                said = os.read(self._process.stderr.fileno(), 4096)
            except (OSError, ValueError):
                return
            if not said:
                return
            self._words = (self._words + said)[-MOST_WORDS:]

    def write(self, data):
        """Write to it, and return whether it still reads."""
        while data:
            try:
                data = data[os.write(self._process.stdin.fileno(), data):]
            except OSError:
                if sys.exc_info()[1].errno != errno.EPIPE:
                    raise
                return False
        return True

    def read(self):
        """Return what it writes next; nothing at the end."""
        return os.read(self._process.stdout.fileno(), PIECE)

    def wait(self):
        """Wait for its end, and return its exit code."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()
        self._listener.join(5)
        return self._process.returncode

    def words(self):
        """Return the end of what it has said, on one line."""
        return ' '.join(_text(self._words).split())

    def end(self):
        """End it and its children, and wait for that."""
        if self._process.returncode is None:
            try:
                os.killpg(self._process.pid, signal.SIGKILL)
            except OSError:  # it has just ended, or is not a leader yet
                try:
                    os.kill(self._process.pid, signal.SIGKILL)
                except OSError:
                    pass
            self._process.wait()
        self._listener.join(5)
        for pipe in (self._process.stdin, self._process.stdout,
                     self._process.stderr):
            if pipe is not None:
                pipe.close()

    def check(self):
        """Raise an error if it failed.

        :raises BadData: if it may be because of its input
        """
        code = self._process.returncode
        text = '%s ended with %d: %s' % (self.name, code, self.words())
        if code == 0:
            return
        if _NO_SPACE.search(text):
            raise PluginError(
                'The storage repository has no space: %s' % text)
        if code < 0 or 'died with signal' in text or 'Killed' in text:
            raise RetryableError(text)
        raise BadData(text)


class _Staging(object):
    """A folder in a storage repository for VHDs that do not belong to it."""

    def __init__(self, sr_path):
        """Choose a name. Nothing is made."""
        self.sr_path = _native(sr_path)
        self.path = os.path.join(self.sr_path, STAGING + _text(
            binascii.hexlify(os.urandom(8))))
        self.programs = []
        self._seen = time.time()
        _stagings.append(self)

    def make(self):
        """Make the folder, and remove leftovers of processes that died."""
        os.mkdir(self.path, stat.S_IRWXU)
        # The clock of the file system: it may be on another machine.
        now = os.lstat(self.path).st_mtime
        for name in os.listdir(self.sr_path):
            path = os.path.join(self.sr_path, name)
            if name.startswith(STAGING) and path != self.path:
                _remove_leftover(path, now)

    def live(self):
        """Give a sign of life, now and then."""
        now = time.time()
        if not 0 <= now - self._seen < SIGN_OF_LIFE:
            self._seen = now
            os.utime(self.path, None)

    def run(self, *command):
        """Run a program, and return its output and its exit code."""
        self.live()
        program = _Program(self, command, _environment())
        output = _NOTHING
        while True:
            piece = program.read()
            if not piece:
                break
            output = (output + piece)[:MOST_JSON]
        return _text(output), program.wait(), program

    def space(self):
        """Return the free bytes of the storage repository."""
        found = os.statvfs(self.sr_path)
        return found.f_bavail * found.f_frsize

    def remove(self):
        """End its programs and remove the folder. May be called again."""
        _ignore_signals()
        for program in self.programs:
            program.end()
        shutil.rmtree(self.path, True)
        if os.path.exists(self.path):
            _log('%s could not be removed.' % self.path)


def _remove_leftover(path, now):
    """Remove a staging folder of ours that gives no signs of life."""
    try:
        found = os.lstat(path)
    except OSError:
        return
    if stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and (
            now - found.st_mtime > LEFTOVER):
        _log('%s is left over and is removed.' % path)
        shutil.rmtree(path, True)


# Downloads


def _new_md5():
    """Return an MD5, which detects damage only, also on hosts for FIPS."""
    if hashlib is None:
        return md5.new()
    try:
        return hashlib.md5()  # nosec
    except ValueError:
        return hashlib.md5(usedforsecurity=False)  # novm


class _Digests(object):
    """MD5, and another hash if Python has it.

    Python 2.4 has no hashlib.
    """

    def __init__(self, algorithm=None):
        """Begin to hash."""
        self._hashers = {'md5': _new_md5()}
        if algorithm and algorithm != 'md5' and hashlib is not None:
            try:
                self._hashers[_native(algorithm)] = hashlib.new(
                    _native(algorithm))
            except ValueError:
                pass

    def update(self, piece):
        """Process the next bytes."""
        for hasher in self._hashers.values():
            hasher.update(piece)

    def hexdigests(self):
        """Return the digests by the names of their algorithms."""
        return dict([(name, hasher.hexdigest())
                     for name, hasher in self._hashers.items()])


def _recorded(response, checksum):
    """Return the MD5s and sizes that data must have, each with its source."""
    sums, sizes = [], []
    if checksum.get('md5'):
        sums.append(('Glance', _native(checksum['md5']).lower()))
    if checksum.get('size') is not None:
        sizes.append(('Glance', int(checksum['size'])))
    for name in ('ETag', 'Content-MD5', 'X-Image-Meta-Checksum'):
        value = (response.getheader(name) or '').strip().strip('"').lower()
        if _MD5.match(value):
            sums.append((name, value))
    length = (response.getheader('Content-Length') or '').strip()
    if _DIGITS.match(length):
        sizes.append(('Content-Length', int(length)))
    return sums, sizes


def _compare(where, recorded, found):
    """Raise an error if one of the recorded values is another one."""
    for source, value in recorded:
        if value != found:
            raise RetryableError(
                'GET %s: the data is damaged: %s instead of %s, which is in '
                '%s.' % (where, found, value, source))


def _fetch(request, staging, checksum):
    """Download the archive of an image and unpack it into the staging folder.

    :returns: the digests and the size of the data, which have been compared
    """
    connection = request.open('GET')
    try:
        response = connection.answer()
        connection.judge(response, (200,))
        sums, sizes = _recorded(response, checksum)
        for recorded in (sums, sizes):
            for _, value in recorded[1:]:
                _compare(connection.where, recorded[:1], value)
        unpacking = _Unpacking(staging)
        algorithm = checksum.get('algorithm')
        digests, size = _Digests(algorithm), 0
        while True:
            piece = connection.read(response, PIECE)
            if not piece:
                break
            digests.update(piece)
            size += len(piece)
            unpacking.feed(piece)
            staging.live()
        _compare(connection.where, sizes, size)
        found = digests.hexdigests()
        _compare(connection.where, sums, found['md5'])
        if algorithm in found and checksum.get('value'):
            _compare(connection.where, [
                ('Glance', _native(checksum['value']).lower())],
                found[algorithm])
        unpacking.finish()
        return found, size
    finally:
        connection.close()


class _Unpacking(object):
    """The archive on its way into tar.

    After bad data, tar sees no more of it; whether the data was damaged on
    the way is known only at the end.
    """

    def __init__(self, staging):
        """Start tar."""
        self._tar = _Program(
            staging, ['tar', '-zx', '--file=-', '--no-same-owner',
                      '--no-same-permissions', '--directory=' + staging.path],
            _environment(), subprocess.PIPE)
        self._members = Members(staging.space())
        self._bad = None
        self._open = True

    def feed(self, piece):
        """Pass on a piece of the archive."""
        if self._bad is not None:
            return
        try:
            self._members.feed(piece)
            if self._open and not self._tar.write(piece):
                self._open = False
                self._end()
        except BadData:
            self._bad = str(sys.exc_info()[1])
            self._tar.end()

    def _end(self):
        self._tar.wait()
        self._tar.check()

    def finish(self):
        """Raise an error unless all of the archive was unpacked."""
        try:
            if self._bad is None:
                self._members.finish()
                if self._open:
                    self._end()
        except BadData:
            self._bad = str(sys.exc_info()[1])
        if self._bad is not None:
            raise PluginError('The image cannot be used: %s' % self._bad)


class Members(object):
    """Reads a compressed archive on its way, and refuses what tar might do.

    :ivar names: the paths of its members
    """

    def __init__(self, space):
        """Begin.

        :param space: how many bytes there is space for
        """
        self.names = set()
        self._space = self._left = space
        self._gzip = zlib.decompressobj(16 + zlib.MAX_WBITS)
        self._ended = False
        self._extended = {}
        self._buffer = _NOTHING
        self._pass = 0
        self._await(_BLOCK, self._read_header)

    def _await(self, count, reader):
        self._count, self._reader = count, reader

    def feed(self, piece):
        """Read a piece.

        :raises BadData: if it must not be unpacked
        """
        while piece and not self._ended:
            try:
                data = self._gzip.decompress(piece, 16 * PIECE)
                piece = self._gzip.unconsumed_tail
                if self._gzip.unused_data:
                    piece = self._gzip.unused_data
                    self._gzip = zlib.decompressobj(16 + zlib.MAX_WBITS)
            except zlib.error:
                raise BadData('not compressed with gzip: %s' % _reason())
            self._read(data)

    def finish(self):
        """Check that the archive has an end, at its end."""
        if not self._ended:
            try:
                self._read(self._gzip.flush())
            except zlib.error:
                raise BadData('not compressed with gzip: %s' % _reason())
        if not self._ended:
            raise BadData('the archive has no end')

    def _read(self, data):
        place = 0
        while place < len(data) and not self._ended:
            if self._pass:
                passed = min(self._pass, len(data) - place)
                self._pass -= passed
                place += passed
                continue
            part = data[place:place + self._count - len(self._buffer)]
            self._buffer += part
            place += len(part)
            if len(self._buffer) == self._count:
                block, self._buffer = self._buffer, _NOTHING
                self._reader(block)

    def _read_header(self, block):
        if block == _NUL * _BLOCK:
            self._ended = True
            return
        if _checksum(block) != _number(block[148:156]):
            raise BadData('not an archive of tar')
        kind, size = _text(block[156:157]), _number(block[124:136])
        if kind in ('x', 'g'):
            if not 0 < size <= PIECE:
                raise BadData('an extended header has %d bytes' % size)
            self._kind, self._size = kind, size
            self._await(_padded(size), self._read_extended)
            return
        extended, self._extended = self._extended, {}
        if 'size' in extended:
            size = int(extended['size'])
        name = extended.get('path') or _name(block)
        self._check_member(name, kind, size)
        self._pass = _padded(size)
        if name.endswith('.vhd') and size >= _BLOCK:
            self._size = size
            self._pass -= _BLOCK
            # What is passed comes after the block.
            self._after, self._pass = self._pass, 0
            self._await(_BLOCK, self._read_vhd)

    def _check_member(self, name, kind, size):
        if kind == '5' or (kind == '\0' and name.endswith('/')):
            if size:
                raise BadData('the folder %r has data' % name)
        elif kind not in ('0', '\0', '7'):
            raise BadData('%r is not a file, but of type %r' % (name, kind))
        if name.startswith('/') or '..' in name.split('/') or (
                '\0' in name or not name):
            raise BadData('%r leads out of the folder' % name)
        path = '/'.join([part for part in name.split('/')
                         if part not in ('', '.')])
        if path in self.names:
            raise BadData('%r is there twice' % name)
        self.names.add(path)
        if len(self.names) > MOST_MEMBERS:
            raise BadData('there are more than %d members' % MOST_MEMBERS)
        self._left -= size
        if size < 0 or self._left < 0:
            raise BadData(
                'the storage repository has no space: %r has %d bytes, %d of '
                '%d are left' % (name, size, self._left + size, self._space))

    def _read_extended(self, block):
        """Read a header of POSIX that changes the next one."""
        self._await(_BLOCK, self._read_header)
        text = _text(block[:self._size])
        while text:
            found = _RECORD.match(text)
            if not found or not found.end() < int(found.group(1)) <= len(text):
                raise BadData('an extended header is wrong')
            length, name = int(found.group(1)), found.group(2)
            value, text = text[found.end():length - 1], text[length:]
            if self._is_bad(name, value):
                raise BadData('an extended header has %r' % name)
            self._extended[name] = value

    def _is_bad(self, name, value):
        if self._kind == 'g':  # for all files
            return name in ('path', 'size')
        return name.startswith('GNU.sparse') or name == 'linkpath' or (
            name == 'size' and not _DIGITS.match(value))

    def _read_vhd(self, block):
        """Refuse a dynamic VHD that is larger than its disk allows."""
        self._pass = self._after
        self._await(_BLOCK, self._read_header)
        if _text(block[:8]) != 'conectix':
            return  # a fixed one, whose footer is at its end
        disk, kind = struct.unpack('>Q4xI', block[48:64])
        if kind in (3, 4) and (
                self._size > disk + disk // 256 + VHD_METADATA):
            raise BadData('a VHD has %d bytes, but its disk only %d' % (
                self._size, disk))


def _padded(size):
    """Return the size of data in an archive."""
    return (size + _BLOCK - 1) // _BLOCK * _BLOCK


def _checksum(block):
    """Return the checksum of a header."""
    return sum(struct.unpack('148B8x356B', block)) + 8 * ord(' ')


def _number(field):
    """Return a number in a header: octal, or binary if it is large."""
    if field[:1] >= struct.pack('B', 0x80):
        return int(binascii.hexlify(field[1:]), 16)
    digits = _text(field).strip('\0 ')
    if not _OCTAL.match(digits):
        raise BadData('a number is wrong: %r' % digits)
    return int(digits or '0', 8)


def _name(block):
    """Return the path in a header."""
    name = _text(block[:100].split(_NUL)[0])
    prefix = _text(block[345:500].split(_NUL)[0])
    # GNU tar has other data there.
    if _text(block[257:263]) == 'ustar\0' and prefix:
        name = '%s/%s' % (prefix, name)
    return name


class _Chain(object):
    """The VHDs of an image, from the leaf to the base.

    :ivar uuids: their UUIDs
    """

    def __init__(self, staging):
        """Begin with what is in a staging folder."""
        self._staging = staging
        self.uuids = []
        self._paths = []

    def find(self, uuid_stack):
        """Find the VHDs and give them their names."""
        found = [name for name in os.listdir(self._staging.path)
                 if name.endswith('.vhd') and name != 'swap.vhd']
        for number, name in enumerate(_in_order(found)):
            path = os.path.join(self._staging.path, name)
            if not stat.S_ISREG(os.lstat(path).st_mode) or (
                    os.lstat(path).st_nlink != 1):
                raise PluginError('%s in the image is not a file.' % name)
            if not uuid_stack:
                raise PluginError('The image has more than %d VHDs.' % number)
            uuid = _checked_uuid(uuid_stack.pop())
            self.uuids.append(uuid)
            self._paths.append(os.path.join(
                self._staging.path, '.%s.vhd' % uuid))
            os.rename(path, self._paths[-1])
        for number, uuid in enumerate(self.uuids):
            path = os.path.join(self._staging.path, uuid + '.vhd')
            os.rename(self._paths[number], path)
            os.chmod(path, stat.S_IRUSR | stat.S_IWUSR | stat.S_IRGRP |
                     stat.S_IROTH)
            self._paths[number] = path

    def check(self):
        """Link the VHDs with each other and check each."""
        for number in range(len(self._paths) - 2, -1, -1):
            self._vhd_util('modify', number, '-p', self._paths[number + 1])
        hidden = self._vhd_util('query', 0, '-f')
        if _HIDDEN.search(hidden):
            raise PluginError('The VHD of the image is marked as hidden.')
        for number in range(len(self._paths)):
            self._check_vhd(number)
            self._check_parent(number)

    def _vhd_util(self, action, number, *more):
        """Run vhd-util and return its output."""
        output, code, program = self._staging.run(
            'vhd-util', action, '-n', self._paths[number], *more)
        # It ends with 22 if a VHD is invalid or has no parent, for example.
        if code and not (code == 22 and action in ('check', 'query')):
            try:
                program.check()
            except BadData:
                raise PluginError('vhd-util %s, VHD %d: %s %s' % (
                    action, number, sys.exc_info()[1], output.strip()))
        return output

    def _check_vhd(self, number):
        output = self._vhd_util('check', number, '-p')
        if 'invalid' in output.split('\n')[0]:
            self._vhd_util('repair', number)
            output = self._vhd_util('check', number, '-p')
        first = output.split('\n')[0].strip()
        if 'is valid' not in first:
            text = 'VHD %d of the image is invalid: %s' % (number, first)
            if 'timestamp' in first:
                text += ' (are the clocks of both hosts right?)'
            raise PluginError(text)

    def _check_parent(self, number):
        """Check that the parent of a VHD is the next one, or none."""
        first = self._vhd_util('query', number, '-p').split('\n')[0].strip()
        parent = None
        if 'has no parent' not in first:
            parent = os.path.realpath(
                os.path.join(self._staging.path, first))
        expected = None
        if number + 1 < len(self._paths):
            expected = os.path.realpath(self._paths[number + 1])
        if parent != expected:
            raise PluginError('VHD %d of the image has a wrong parent: %s'
                              % (number, first))

    def publish(self):
        """Move the VHDs into the storage repository, all or none.

        The base comes first: a VHD without its parent would make the
        storage repository fail.
        """
        for path in self._paths:
            _flush(path)
        _ignore_signals()
        moved = []
        try:
            for path in self._paths[::-1]:
                target = os.path.join(self._staging.sr_path,
                                      os.path.basename(path))
                os.link(path, target)  # unlike rename(), never replaces one
                moved.append(target)
            if [path for path in moved if not os.path.exists(path)]:
                raise RetryableError('A VHD has gone from %s.' %
                                     self._staging.sr_path)
        except Exception:
            for path in moved[::-1]:
                os.unlink(path)
            raise


def _flush(path):
    """Write a file to its disk."""
    stream = open(path, 'rb')
    try:
        os.fsync(stream.fileno())
    finally:
        stream.close()


def _in_order(names):
    """Return the names of VHDs from the leaf to the base.

    New images have 0.vhd, 1.vhd and so on; old ones snap.vhd, image.vhd and
    base.vhd, or some of them. A single one may have any name.
    """
    old = [name for name in _OLD_NAMES if name in names]
    if len(names) == 1 or (names and len(old) == len(names)):
        return old or names
    numbered = ['%d.vhd' % number for number in range(len(names))]
    if not names or set(numbered) != set(names):
        raise PluginError('The image has the wrong files: %s' % (
            ' '.join([repr(name) for name in sorted(names)]) or 'no VHD'))
    return numbered


# Uploads


def _check_image(request, check):
    """Raise an error unless an image has the status that it must have."""
    headers = None
    if check.get('headers') is not None:
        headers = _headers(check['headers'])
    method = _native(check.get('method') or 'GET')
    connection = request.open(method, check['url'], headers)
    try:
        response = connection.answer()
        connection.judge(response, (200,))
        if check.get('header'):
            status = response.getheader(_native(check['header']))
        else:
            body = connection.read(response, MOST_JSON)
            status = read_field(body, _native(check['field']))
        if status != _native(check['expects']):
            raise PluginError(
                '%s %s: the image is not %s, but %s, and takes no data.' % (
                    method, connection.where, check['expects'], status))
    finally:
        connection.close()


def read_field(body, name):
    """Return a field of a JSON object that is a text; None otherwise."""
    if json is None:
        return scan_field(_text(body), name)
    try:
        value = json.loads(body.decode('utf-8')).get(name)  # novm
    except (AttributeError, TypeError, ValueError):
        raise RetryableError('Glance did not answer with a JSON object.')
    if not hasattr(value, 'lower'):
        return None
    return _native(value)


def scan_field(text, name):
    """Return the same without a module for JSON.

    Only an escape of a quote is understood, which is enough for the status
    of an image.
    """
    depth, key, is_key, found = 0, None, False, None
    for mark in _MARKS.findall(text):
        if mark in ('{', '['):
            depth += 1
            is_key = mark == '{'
        elif mark in ('}', ']'):
            depth -= 1
        elif mark == ',':
            is_key, key = True, None
        elif mark == ':':
            is_key = False
            if depth == 1 and key == '"%s"' % name:
                found = None
        elif depth == 1 and is_key:
            key = mark
        elif depth == 1 and key == '"%s"' % name and mark[0] == '"':
            found = mark[1:-1]
    text = text.strip()
    if depth or text[:1] != '{' or text[-1:] != '}':
        raise RetryableError('Glance did not answer with a JSON object.')
    return found


def _send(request, staging, given, level):
    """Upload the contents of the staging folder.

    The end of the body is sent only after tar has succeeded, so that Glance
    never takes a part for the whole.

    :returns: the digests and the size of what was sent
    """
    env = _environment()
    if level and 1 <= int(level) <= 9:
        env['GZIP'] = '-%d' % int(level)
    connection = request.open(_native(given.get('method') or 'PUT'),
                              more=[('Transfer-Encoding', 'chunked')])
    try:
        tar = _Program(staging, ['tar', '-zc', '--file=-', '--directory=' +
                                 staging.path, '.'], env)
        digests, size = _Digests(given.get('hash')), 0
        while not connection.answered():
            piece = tar.read()
            if not piece:
                break
            digests.update(piece)
            size += len(piece)
            connection.send(('%x\r\n' % len(piece)).encode('ascii') +
                            piece + _CRLF)
            staging.live()
        else:
            connection.refused(connection.answer())
        tar.wait()
        try:
            tar.check()
        except BadData:
            raise PluginError('The VHDs cannot be read: %s'
                              % sys.exc_info()[1])
        sent = digests.hexdigests(), size
        _end_body(connection, given['expects'], sent)
        return sent
    finally:
        connection.close()


def _end_body(connection, expects, sent):
    """Say that the body is complete, and read the answer.

    If there is none, Glance may have the data. The error names it, so that
    nova-compute can find out.
    """
    try:
        connection.send('0\r\n\r\n'.encode('ascii'))
        connection.judge(connection.answer(), expects)
    except RetryableError:
        raise RetryableError('%s All was sent: %d bytes, MD5 %s.' % (
            sys.exc_info()[1], sent[1], sent[0]['md5']))


# Calls


class _Unpickler(pickle.Unpickler):
    """Reads only values of built-in types."""

    def find_class(self, module, name):
        """Refuse every class and function."""
        raise PluginError('The parameters have a %s.%s.' % (module, name))


def _load(text):
    """Return the value of a pickle."""
    data = text
    if not isinstance(text, _BYTES):
        data = text.encode('latin-1')
    if str is _BYTES:
        return _Unpickler(StringIO.StringIO(data)).load()
    return _Unpickler(StringIO.BytesIO(data),  # novm
                      encoding='latin-1').load()


def _end(number, frame):
    """Raise Ended, once."""
    _ignore_signals()
    raise Ended('signal %d' % number)


def _late(number, frame):
    """Raise the same as a socket that was silent for too long."""
    raise socket.timeout('timed out')


def _serialized(function):
    """Return a function for XenAPIPlugin."""
    def call(session, params):
        try:
            try:
                signal.signal(signal.SIGALRM, _late)
                for number in _SIGNALS:
                    signal.signal(number, _end)
                given = {'args': [], 'kwargs': {}}
                if 'params' in params:  # not for "xe host-call-plugin"
                    given = _load(params['params'])
                # Python 2.4 accepts no other names than these.
                named = dict([(_native(name), value) for name, value
                              in given['kwargs'].items()])
                return _text(pickle.dumps(function(
                    session, *given['args'], **named), 0))
            finally:
                # Again: Ended may have been raised while it was removed.
                for staging in _stagings:
                    staging.remove()
        except ImageNotFound:
            raise
        except Ended:
            kind, text = RetryableError, 'The plugin was ended by a %s.' % (
                sys.exc_info()[1])
        except RetryableError:
            kind, text = RetryableError, str(sys.exc_info()[1])
        except PluginError:
            kind, text = PluginError, str(sys.exc_info()[1])
        except Exception:
            kind, text = PluginError, _reason()
        _log('%s: %s' % (kind.__name__, text))
        raise kind(_hide(text))
    return call


def main():
    """Serve the call for which xapi has started this process."""
    if sys.argv[1:] == ['--version']:
        sys.stdout.write(VERSION + '\n')
        return
    import XenAPIPlugin
    XenAPIPlugin.dispatch({
        'get_version': _serialized(get_version),
        'download_vhd': _serialized(download_vhd),
        'upload_vhd': _serialized(upload_vhd)})


if __name__ == '__main__':
    main()
