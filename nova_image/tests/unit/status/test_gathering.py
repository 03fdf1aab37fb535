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

"""nova_image.status.gathering, nova_log, verdicts and audit."""

import gzip

import fixtures
import six

from nova_image.tests.unit.status import audit_case as case

if six.PY3:
    import pathlib
    import types

    from keystoneauth1 import exceptions

    from nova_image.status import audit
    from nova_image.status import facts
    from nova_image.status import gathering
    from nova_image.status import halves
    from nova_image.status import nova_log
    from nova_image.status import verdicts


class TestFiles(case.TestCase):
    """Configuration files and logs."""

    def setUp(self):
        super(TestFiles, self).setUp()
        self.folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)

    def write(self, name, text):
        """Write a file and return its path."""
        (self.folder / name).write_text(text)
        return str(self.folder / name)

    def test_settings(self):
        first = gathering.read(self.write('a', (
            '[glance]\nhost = a\nhost = b\napi-servers = c\n')))
        self.assertEqual({'host': 'b', 'api_servers': 'c'},
                         first.values['glance'])
        found = gathering.merged([first, gathering.read(self.write(
            'b', '[glance]\nhost = d\n[x]\ny = yes\n'))])
        self.assertEqual(('d', 'c', None), tuple(
            found.get('glance', name) for name in (
                'host', 'api_servers', 'z')))
        self.assertTrue(found.is_true('x', 'y'))
        self.assertRaises(ValueError, gathering.read, self.write('c', 'junk'))

    def test_problem_of_one_fact(self):
        gatherer = gathering.Gatherer(None, None, None)
        gatherer.gather(['servers', 'roles', 'bogus'])
        self.assertEqual(['servers'], list(gatherer.gathered.problems))
        gatherer.gather_others([self.folder / 'missing'])
        self.assertIn('missing', gatherer.gathered.problems['others'])

    def test_log_of_nova(self):
        targets = ('/v2.1/images?changes-since=x&name=y',
                   '/v2.1/images/detail?property-a=b&is_public=none',
                   '/v2.1/servers?changes-since=x', '/images?protected=1',
                   '/v2/images?protected=true', '/v2/images',
                   'http://[/images?x=y', '/images?a=1#changes-since=b')
        lines = '\n'.join('1.2.3.4 "GET %s HTTP/1.1" 200' % target
                          for target in targets)
        plain = self.write('log', lines)
        with gzip.open(str(self.folder / 'log.gz'), 'wt') as stream:
            stream.write(lines)
        self.assertEqual(
            {'changes-since': 2, 'property-...': 2, 'is_public': 2,
             'protected=1': 2},
            nova_log.filters([plain, str(self.folder / 'log.gz')]))


class TestKeystone(case.TestCase):
    """What other services tell."""

    def gather(self, name, **session):
        """Gather one fact; return all facts."""
        gatherer = gathering.Gatherer(None, None,
                                      types.SimpleNamespace(**session))
        gatherer.gather([name])
        return gatherer.gathered

    def test_hypervisors(self):
        answer = types.SimpleNamespace(json=lambda: {'hypervisors': [
            {'hypervisor_type': 'QEMU'}, {}]})
        found = self.gather('hypervisors', get=lambda *args, **kw: answer)
        self.assertEqual(['QEMU', ''], found.hypervisors)

    def fail(self, error):
        """Return a method that raises an error."""
        def method(*args, **kwargs):
            raise error
        return method

    def test_cloud_without_nova(self):
        found = self.gather('hypervisors', get=self.fail(
            exceptions.EndpointNotFound()))
        self.assertIsNone(found.hypervisors)
        self.assertEqual({}, found.problems)

    def test_hypervisors_that_are_refused(self):
        found = self.gather('hypervisors', get=self.fail(
            exceptions.Forbidden('no')))
        self.assertEqual(
            {'hypervisors': 'Keystone or a service in its catalog: no (HTTP '
                            '403)'}, found.problems)

    def test_roles(self):
        access = types.SimpleNamespace(role_names=['admin'])
        auth = types.SimpleNamespace(get_access=lambda session: access)
        self.assertEqual({'admin'}, self.gather('roles', auth=auth).roles)
        self.assertIsNone(self.gather('roles', auth=object()).roles)


class TestVerdicts(case.TestCase):
    """Verdict"""

    def test_lines(self):
        verdict = verdicts.Verdict(
            'Two:', [verdicts.Item('A'), verdicts.Item(
                'B', 'bad', case.Code.FAILURE)], 'mend it', ['no answer'])
        self.assertEqual(['Two:', '- B: bad', '- A', 'What to do: mend it',
                          'could not be checked: no answer'],
                         verdict.lines())
        self.assertEqual(['Two:', '- B: bad', 'and 1 more'],
                         verdict.lines(1)[:3])
        self.assertEqual(case.Code.FAILURE, verdict.code)


class TestAudit(case.TestCase):
    """Audit"""

    def test_names_are_unique_and_documented(self):
        every = audit.all_checks(halves.kinds())
        names = [check.name for check in every]
        self.assertEqual(len(names), len(set(names)))
        for check in every:
            self.assertTrue(check.title and check.why and check.cost)
            self.assertNotIn('.', check.title)
            if not check.option:
                self.assertTrue(check.advice, check.name)

    def test_one_request_less_if_nothing_answers(self):
        gatherer = gathering.Gatherer(None, None, None)
        gatherer._gather_servers = lambda: gatherer.gathered.servers.append(
            facts.Server('a', problem='refused'))
        half = case.Memory(trouble=AssertionError('asked'))
        results = audit.Audit([half], gatherer, audit.Options(
            frozenset(['formats', 'hashes', 'content']))).run()
        self.assertEqual(
            [['could not be checked: refused']] * 2 + [
                ['not checked: give --content']],
            [verdict.lines() for _, verdict in results])

    def test_access_logs(self):
        module = types.SimpleNamespace(clients=lambda paths: Usage())
        self.useFixture(fixtures.MonkeyPatch(
            'importlib.import_module', lambda name: module))
        results = audit.Audit([], gathering.Gatherer(None, None, None),
                              audit.Options(frozenset(['v1-clients']),
                                            access_logs=('a',))).run()
        (_, verdict), = results
        self.assertEqual([('curl', '3 requests', case.Code.FAILURE)],
                         [tuple(item) for item in verdict.items])
        self.assertEqual(['gone.log: No such file', '2 lines that name v1, '
                          'such as: odd /v1/images'], verdict.unchecked)

    def test_log_that_is_no_access_log(self):
        path = self.useFixture(fixtures.TempDir()).join('nova.log')
        with open(path, 'w') as stream:
            stream.write('words\n')
        (_, verdict), = audit.Audit(
            [], gathering.Gatherer(None, None, None), audit.Options(
                frozenset(['v1-clients']), access_logs=(path,))).run()
        self.assertEqual(['none of the lines is a request'],
                         verdict.unchecked)


class Usage(object):
    """What access_logs.clients() returns: pairs, with attributes."""

    unreadable = {'gone.log': 'No such file'}
    unknown = 2
    examples = ('odd /v1/images',)
    lacks_requests = False

    def __iter__(self):
        return iter([('curl', 3)])
