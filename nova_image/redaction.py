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

"""Keeps secrets out of messages and logs.

Text that comes from elsewhere (a server, a library, a URL) can contain
secrets in two ways, so there are two defences:

* ``redact`` masks what looks like a secret: the user, password, query and
  fragment of every URL, and the values of headers and fields that hold tokens
  and passwords.
* ``Secrets`` are those of one request. They are masked wherever a part of
  them appears, also if a server has quoted, escaped or cut them.

Both take time proportional to the length of the text, whatever it is: every
repetition in the patterns is bounded, or is followed by nothing that it could
match. Text is cut only after it has been redacted, because half a secret does
not look like one.

``oslo_utils.strutils.mask_password`` supports more forms of passwords, but no
URLs and no headers. It is applied last, and imported when there is something
to redact: the command line starts without it.
"""

import collections
import re

import six

MASK = u'***'

_FLAGS = re.IGNORECASE | re.DOTALL | re.VERBOSE
#: punctuation that ends a URL or a value rather than belonging to it
_CLOSERS = u'"\'>)]}.,;:'

# One character, plain or percent-encoded any number of times, or as JSON or
# HTML writes it.
_SLASH = r'(?:\\{0,4}/|%(?:25){0,3}2f|&\#(?:47|x2f);|\\{1,4}u002f)'
_COLON = r'(?::|%(?:25){0,3}3a|&\#(?:58|x3a);)'
_QUOTE = r'(?:\\{0,4}["\']|&(?:quot|apos|\#3[49]|\#x2[27]);|%2[27])'

_MARKS = re.compile(r'[/@?%&\\]')
_SPACELESS = re.compile(r'\S+')
#: what comes before the host of a URL; without a scheme only in front
_URL = re.compile(
    r'((?:%(colon)s|(?<![\w/\\%%.~+-]))%(slash)s{2})' % {
        'colon': _COLON, 'slash': _SLASH}, _FLAGS)
_AT = re.compile(r'@|%(?:25){0,3}40|&\#(?:64|x40);|\\{1,4}u0040', _FLAGS)
_QUERY = re.compile(
    r'\?|(?<!&)\#|&\#(?!x?[0-9a-f]{1,6};)|%(?:25){0,3}(?:3f|23)|'
    r'&\#(?:63|35|x3f|x23);|\\{1,4}u00(?:3f|23)', _FLAGS)
#: a colon in front of something that is not a port
_PASSWORD = re.compile(
    r'[^/\\\[\]%%]{0,200}?%s(?!\d{1,5}[/\\%%?\#&"\x27<]|'
    r'(?:\d{1,5}(?!\w))?[^\w]*$)' % _COLON, _FLAGS)
_PATH = re.compile(r'[/\\%]')
_AMBIGUOUS = re.compile('%s|%s' % (_COLON, _AT.pattern), _FLAGS)
_PATH_QUERY = re.compile(
    r'(?:\?|%(?:25){0,3}3f)[\w.~\[\]-]{1,200}(?:=|%(?:25){0,3}3d)', _FLAGS)
#: what may precede a user and a password without a URL
_OPENERS = u'"\'([{<=,;'

_HEADER = re.compile(r'''
    ((?:authorization|cookie2?)%(quote)s? \s* [:=] \s* [\[({]?)
    (?![bu]?%(quote)s)
    \S+ (?:[ \t]+\S+)? (?:(?<=[,;])[ \t]*\S+)*
    ''' % {'quote': _QUOTE}, _FLAGS)
_SCHEME = re.compile(
    r'(?<![\w-])((?:bearer|basic)\s+)[a-z0-9+/=._~-]{16,}', _FLAGS)
_FIELD = re.compile(r'''
    ((?: (?!(?<=/auth/)tokens:\s)  # Keystone's own URL, in an error
         (?:token | secret | passw(?:or)?d | passphrase | pswd
          | (?:admin|new|user)_?pass | authorization
          | cookie | receipt | (?:api|access|private|secret|account)[_-]?key
         ) [\w-]{0,24}
         (?: %(quote)s? \s* (?: [:=]>? | > ) \s* [\[({]?
           | %(quote)s \s* , \s* [\[({]? (?=[bu]?%(quote)s) )
       | (?<![a-z]) (?:sig | hmac | pwd | j?session_?id | credential
          | (?:amz|goog)[_-]signature | temp[_-]?url[_-]?(?:sig|key)
          | (?<![_-]) signature ) =
       ) [bu]?)
    (?: "(?:[^"\\]|\\.)* (?:"|\\?$)
      | '(?:[^'\\]|\\.)* (?:'|\\?$)
      | %(quote)s? [^\s"'\\]+ )
    ''' % {'quote': _QUOTE}, _FLAGS)
_OPTION = re.compile(
    r'(--[\w-]{0,40}?(?:password|token|secret)\s+)[^\s-]\S*', _FLAGS)
#: Fernet tokens of Keystone, JSON Web Tokens, and keys of Ceph
_BARE = re.compile(
    r'(?<![\w-])(?:gAAAA[\w=-]{20,}|eyJ[\w-]{10,}\.[\w.-]{10,}(?<!\.)|'
    r'AQ[\w+/]{36}==)')


def to_text(value):
    """Return the text form of any object; empty for None."""
    if value is None:
        return u''
    if isinstance(value, bytes):
        return value.decode('utf-8', 'replace')
    try:
        return six.text_type(value)
    except UnicodeDecodeError:  # an exception with bytes, on Python 2
        return str(value).decode('utf-8', 'replace')


def redact(text, secrets=None):
    """Return a text without secrets.

    :param text: any object with a text form, or None
    :param secrets: Secrets to mask in addition
    :returns: text; empty for None
    """
    from oslo_utils import strutils

    text = to_text(text)
    if secrets is not None:
        text = secrets.masked(text)
    if _MARKS.search(text):
        text = _SPACELESS.sub(_word, text)
    text = _HEADER.sub(r'\1' + MASK, text)
    text = _OPTION.sub(r'\1' + MASK, _SCHEME.sub(r'\1' + MASK, text))
    text = _BARE.sub(MASK, _FIELD.sub(_value, text))
    return strutils.mask_password(text, MASK)


def _word(found):
    """Mask the secrets of the URLs in a text without spaces."""
    word = found.group()
    parts = _URL.split(word)
    parts[0] = _without_url(parts[0])
    parts[2::2] = [_after_slashes(part) for part in parts[2::2]]
    return u''.join(parts)


def _without_url(word):
    at = word.rfind(u'@')
    colon = word.find(u':', 0, at) if at > 0 else -1
    if colon > 0:
        began = max(word.rfind(one, 0, colon) for one in _OPENERS) + 1
        word = word[:began] + MASK + word[at:]
    query = _PATH_QUERY.search(word)
    return word if query is None else _cut(word, _QUERY.search(
        word, query.start()))


def _cut(text, query):
    """Return a text with its end masked, from a query's mark on."""
    secret = text[query.end():]
    body = secret.rstrip(_CLOSERS)
    return text[:query.end()] + (body and MASK) + secret[len(body):]


def _after_slashes(rest):
    """Mask the secrets of a URL, which begins after its slashes."""
    query = _QUERY.search(rest)
    head = rest[:query.start()] if query else rest
    end = _cut(rest, query)[len(head):] if query else u''
    if query and _AT.search(rest, query.end()) and (
            _AMBIGUOUS.search(head) or not _PATH.search(head)):
        return MASK + end  # a query with an @, or a password with ? or #
    at = _last(_AT, head)
    if at is not None:
        return MASK + head[at.start():] + end
    return (MASK if _PASSWORD.match(head) else head) + end


def _last(pattern, text):
    last = None
    for found in pattern.finditer(text):
        last = found
    return last


def _value(found):
    """Mask the value of a field, but not the punctuation after it."""
    name, value = found.group(1), found.group()[len(found.group(1)):]
    quote = value[0] if value[0] in u'"\'' else u''
    end = value[len(value.rstrip(_CLOSERS)):]
    if quote:
        end = quote if value.endswith(quote) and len(value) > 1 else u''
    return name + quote + MASK + end


#: One character, or several that need no decoding, as text may spell them.
_SPELLED = re.compile(r'''
    %(?:25)*([0-9a-f]{2})
  | &(?:amp;)*(?:\#(\d{1,7}); | \#x([0-9a-f]{1,6}); | (amp|lt|gt|quot|apos);)
  | \\{1,4}u([0-9a-f]{4}) | \\{1,4}x([0-9a-f]{2}) | \\{1,4}(?=[/"'\\])
  | ([\s+]+)
  | [^%&\\\s+]+
  | .''', _FLAGS)
_ENTITIES = {u'amp': u'&', u'lt': u'<', u'gt': u'>', u'quot': u'"',
             u'apos': u"'"}
#: the longest part of a secret that may be shown, in bytes, plus one
_PART = 8
#: the shortest secret that is looked for: less is in every text, in bytes
_SHORTEST = 4
#: the shortest value of a query that is a secret whatever its name
_LONG = 8
_SENSITIVE = re.compile(
    r'(?i)sig|token|secret|pass|pwd|cred|auth|key|code|pin|hmac|session')
_NAME = re.compile(r'[a-zA-Z][\w.~\[\]-]{0,39}$')
_WORDS = re.compile(r'[a-z][a-z._-]{0,11}$')
_WORDLIKE = re.compile(r'\w')
#: what begins, separates and surrounds the pairs of a query or a fragment
_TAIL, _PAIRS = re.compile(u'[?#]'), re.compile(u'[&;?#]')
_BOUNDS = re.compile(u'[&;?#=]')


def _decoded(found):
    """Return what a match of _SPELLED stands for, as UTF-8 in latin-1."""
    octet, decimal, number, name, unit, raw, space = found.groups()
    if octet or raw:
        return six.unichr(int(octet or raw, 16)).replace(u'+', u' ')
    if space:
        return u' '
    if name:
        return _ENTITIES[name.lower()]
    code = int(decimal) if decimal else int(number or unit or '0', 16)
    if code:
        return _bytewise(six.unichr(min(code, 0xffff)))
    return _bytewise(found.group().strip(u'\\'))


def _bytewise(text):
    return text.encode('utf-8', 'replace').decode('latin-1')


def _read(text):
    """Return a text with every spelling decoded, and where it comes from.

    :returns: text, and a list of the (start, end) of each of its characters
    """
    decoded, places = [], []
    for found in _SPELLED.finditer(text):
        units, (start, end) = _decoded(found), found.span()
        decoded.append(units)
        if len(units) == end - start:
            places += [(at, at + 1) for at in range(start, end)]
        else:
            places += [(start, end)] * len(units)
    return u''.join(decoded), places


class Secrets(object):
    """The secrets of one request, which are masked in any spelling.

    A part of 8 bytes is enough: a server may have cut the rest.

    :param sources: objects that are sent: URLs, or dicts and lists of them
    """

    def __init__(self, *sources):
        self._sources = list(sources)
        self._find_more = []

    def add(self, find):
        """Add secrets that are looked for only when they are needed.

        :param find: callable that returns a list of texts
        """
        self._find_more.append(find)

    def masked(self, text):
        """Return a text in which all parts of the secrets are masked."""
        parts = self._parts()
        if not parts or not text:
            return text
        decoded, places = _read(text)
        spans = []
        for size, known in parts.items():
            for at in range(len(decoded) - size + 1):
                if decoded[at:at + size] in known and (
                        size == _PART or _is_apart(decoded, at, at + size)):
                    spans.append((places[at][0], places[at + size - 1][1]))
        return _masked(text, sorted(spans))

    def _parts(self):
        """Return {size: the parts of this size of all secrets}."""
        found = collections.defaultdict(set)
        known = [secret for source in self._sources
                 for secret in _secrets_of(source)]
        for find in self._find_more:
            known += [to_text(secret) for secret in find() if secret]
        for secret in known:
            units = _read(secret)[0]
            size = min(len(units), _PART)
            if size >= _SHORTEST:
                found[size].update(units[at:at + size]
                                   for at in range(len(units) - size + 1))
        return found


def _is_apart(text, start, end):
    """Return whether a short secret is more than a word in a sentence."""
    before, after = text[max(start - 1, 0):start], text[end:end + 1]
    return not _WORDLIKE.match(before + after) and (
        after == u'@' or before in tuple(u':=/?&#"\''))


def _masked(text, spans):
    """Return a text with the sorted, overlapping spans masked."""
    shown, last = [], 0
    for start, end in spans:
        if start > last or not shown:
            shown += [text[last:start], MASK]
        last = max(last, end)
    return u''.join(shown) + text[last:]


def _secrets_of(source):
    """Yield the secrets of all URLs in an object."""
    if isinstance(source, dict):
        source = list(source.values())
    if isinstance(source, (list, tuple)):
        for one in source:
            for secret in _secrets_of(one):
                yield secret
    elif isinstance(source, (six.string_types, bytes)):
        for secret in _secrets_of_url(to_text(source)):
            yield secret


def _secrets_of_url(url):
    """Yield the password, and the values of the query and the fragment."""
    _, slashes, rest = url.partition(u'//')
    if not slashes:
        return
    query = _TAIL.search(rest)
    head = rest[:query.start()] if query else rest
    for at in {head.rfind(u'@'), rest.rfind(u'@')} - {-1}:
        user, _, password = rest[:at].partition(u':')
        yield password or user
    tail = rest[query.end():] if query else u''
    for pair in _PAIRS.split(tail):
        name, _, value = pair.partition(u'=')
        if not value.strip(u'=') or not _NAME.match(name):
            name, value = u'', pair
        if _is_secret(name, value):
            yield value
    for found in _BOUNDS.finditer(tail):  # cut in front of a value
        start, end = found.start() - _PART + 1, found.end() + _PART - 1
        around = tail[max(start, 0):end]
        if len(around) >= _PART:
            yield around


def _is_secret(name, value):
    """Return whether a value of a query is one; most are not names."""
    if not name or _SENSITIVE.search(name):
        return len(value) >= _SHORTEST
    return len(value) >= _LONG and not _WORDS.match(value)
