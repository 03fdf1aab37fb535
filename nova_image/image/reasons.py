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

"""One clear reason instead of a chain of wrapped errors.

python-glanceclient, keystoneauth, requests and urllib3 each put their own
words, and mostly the URL, in front of those of the layer below.
"""

import re

import six

_WRAPPED = re.compile(
    u'(?:Error finding address for|Error communicating with|'
    u'Unable to establish connection to|SSL exception connecting to) '
    u'(\\S{1,4000}) ')
_RETRIES = re.compile(
    u'Max retries exceeded with url: \\S{1,4000} \\(Caused by ')
_ABORTED = re.compile(
    u"\\('Connection aborted\\.', \\w{1,60}\\((?:\\d{1,5}, )?"
    u"[\"']([^\"']{1,300})[\"'],?\\)\\)")
_CALL = re.compile(u'\\w{1,60}\\((?:-?\\d{1,5}, )?(.*)\\)$')
_TIMED_OUT = re.compile(u'Request to (\\S{1,4000}) timed out')
_CONNECTION = re.compile(
    u'(?:HTTPS?Connection(?:Pool)?\\(host=[^()]{1,300}\\)|'
    u'<[\\w.]{1,100} object at 0x[0-9a-f]{1,16}>): ')
#: the most errors that wrap each other
_DEPTH = 8


def brief(error, server=None):
    """Return the text of an error with one reason.

    A URL that the text has named already is not repeated.

    :param error: an exception, or its text
    :param server: URL that is shown in front of the text, or None
    """
    if server:
        return brief(u'%s %s' % (server, error))[len(server) + 1:]
    text = six.text_type(error)
    text = _RETRIES.sub(u'(Caused by ', text, count=1)
    text = _without_cause(text)
    text = _ABORTED.sub(u'\\1', text)
    text = _WRAPPED.sub(_unless_named, _CONNECTION.sub(u'', text))
    return _TIMED_OUT.sub(_timed_out, text)


def _without_cause(text):
    """Replace ``(Caused by X("reason"))`` by the reason."""
    begin = text.find(u'(Caused by ')
    if begin < 0:
        return text
    end = _closing(text, begin)
    if not end:
        return text
    reason = text[begin + len(u'(Caused by '):end]
    for _ in range(_DEPTH):
        call = _CALL.match(reason)
        if not call:
            break
        reason = call.group(1).rstrip(u',').strip(u'"\'')
    return text[:begin] + reason + text[end + 1:]


def _closing(text, begin):
    """Return the position of the parenthesis that closes another one."""
    depth = 0
    for position in range(begin, len(text)):
        depth += {u'(': 1, u')': -1}.get(text[position], 0)
        if not depth:
            return position
    return 0


def _unless_named(match):
    """Return the URL, or '' if it has been named before the match."""
    url = match.group(1).rstrip(u':')
    return u'' if _is_named(url, match) else url + u': '


def _timed_out(match):
    named = _is_named(match.group(1), match)
    return u'the request timed out' if named else match.group(0)


def _is_named(url, match):
    """Return whether a text names the server of a URL before a match."""
    server = u'/'.join(url.split(u'/', 3)[:3])
    return match.string.find(server, 0, match.start()) >= 0
