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

"""nova_image.status.server_checks and nova_checks."""

import six

from nova_image.tests.unit.status import audit_case as case

if six.PY3:
    from nova_image.status import facts
    from nova_image.status import nova_checks
    from nova_image.status import server_checks

    BOTH = {'v2.5': 'CURRENT', 'v2.0': 'SUPPORTED', 'v1.1': 'DEPRECATED'}


class TestOtherChecks(case.TestCase):
    """Each check, by the facts."""

    def run_it(self, check, **gathered):
        """Run a check; return the names and texts of its items."""
        check.run(facts.Gathered(**gathered))
        return [item[:2] for item in self.items(check)]

    def test_facts_that_are_missing(self):
        for check in server_checks.all_checks() + nova_checks.all_checks():
            self.assertEqual([], self.run_it(check), check.name)
            self.assertEqual(case.Code.SUCCESS, check.verdict().code)

    def test_facts_that_could_not_be_gathered(self):
        for check in server_checks.all_checks() + nova_checks.all_checks():
            self.run_it(check, problems={check.fact: 'no answer'})
            self.assertEqual(['could not be checked: no answer'],
                             check.verdict().lines())
            self.assertEqual(case.Code.WARNING, check.verdict().code)

    def test_versions(self):
        check = server_checks.ApiVersions()
        self.assertEqual([], self.run_it(check, servers=[
            facts.Server('a', BOTH), facts.Server('b', BOTH)]))
        self.assertEqual('v2.5, without os_hash_value, and v1 is served',
                         check.verdict().note)

    def test_versions_that_differ(self):
        check = server_checks.ApiVersions()
        self.assertEqual(3, len(self.run_it(check, servers=[
            facts.Server('a', BOTH), facts.Server('b', {'v1.1': 'CURRENT'}),
            facts.Server('c', problem='no answer')])))
        self.assertEqual(case.Code.FAILURE, check.verdict().code)
        self.assertEqual(['no answer'], check.unchecked)

    def test_newest(self):
        server = facts.Server('a', {'v2.9': '', 'v2.17': '', 'odd': '',
                                    'vx.1': ''})
        self.assertEqual((2, 17), server.newest('v2'))
        for name in (u'v2.', u'v2..5', u'v2.\u0665', u'v2.\u00b2',
                     u'v2.' + 5000 * u'9', u'v2.1\n', u''):
            self.assertIsNone(facts.Server('a', {name: ''}).newest('v2'))
        self.assertIsNone(server.newest('v1'))
        gathered = facts.Gathered(servers=[server, facts.Server('b', BOTH)])
        self.assertEqual((2, 5), gathered.newest('v2'))
        self.assertIsNone(gathered.newest('v1'))

    def test_endpoints(self):
        found = self.run_it(
            server_checks.Endpoints(), servers=[
                facts.Server('http://down', problem='no answer')],
            endpoints=[facts.Endpoint(url, source) for url, source in (
                ('https://a/image', 'catalog, public'),
                ('http://b', 'catalog, internal'), ('https://c/v2/', 'x'),
                ('d:9292', 'x'), ('https://[e', 'x'), ('https://f:0', 'x'))])
        self.assertEqual(['http://b', 'https://c/v2/', 'd:9292', 'https://[e',
                          'https://f:0', 'http://down'],
                         [url for url, _ in found])

    def test_roles(self):
        self.assertEqual([], self.run_it(
            server_checks.Roles(), roles=frozenset(('Admin', 'member'))))
        self.assertEqual([('the token', 'has the roles member, not admin')],
                         self.run_it(server_checks.Roles(),
                                     roles=frozenset(('member',))))
        check = server_checks.Roles()
        self.assertEqual([('publish', '403')], self.run_it(
            check, permissions=[facts.Tried('create'),
                                facts.Tried('publish', '403')]))
        self.assertEqual('Allowed: create', check.note)

    def conf(self, **sections):
        """Return a configuration."""
        return facts.Settings(sections)

    def test_nova_conf(self):
        found = self.run_it(
            nova_checks.NovaConf(), glanceclient=(4, 0), nova=self.conf(
                glance={'use_glance_v1': 'True', 'host': 'a',
                        'api_servers': 'http://a,b:9292'}))
        self.assertEqual(['use_glance_v1', 'host', 'api_servers'],
                         [name for name, _ in found])
        self.assertEqual([], self.run_it(
            nova_checks.NovaConf(), nova=self.conf(
                glance={'api_servers': 'http://a'})))

    def test_xen_with_only_v1(self):
        check = nova_checks.NovaConf()
        self.run_it(check, servers=[facts.Server('a', {'v1.1': ''})],
                    nova=self.conf(
                        DEFAULT={'compute_driver': 'xenapi.XenAPIDriver'},
                        glance={'use_glance_v1': '1'}))
        self.assertEqual(case.Code.FAILURE, check.verdict().code)

    def test_virt_drivers(self):
        self.assertEqual(
            ['IronicDriver', 'hypervisors of type vmware vcenter server'],
            [name for name, _ in self.run_it(
                nova_checks.VirtDrivers(),
                hypervisors=['QEMU', 'VMware vCenter Server'],
                nova=self.conf(DEFAULT={
                    'compute_driver': 'ironic.IronicDriver'}))])
        check = nova_checks.VirtDrivers()
        self.assertEqual([], self.run_it(check, hypervisors=['QEMU']))
        self.assertEqual('qemu', check.note)

    def test_other_services(self):
        check = nova_checks.OtherServices()
        self.assertEqual(
            [('a', '[DEFAULT] glance_api_version = v1'),
             ('b', '[glance_store] swift_store_multi_tenant = True')],
            self.run_it(check, others={
                'a': self.conf(DEFAULT={'glance_api_version': 'v1'}),
                'b': self.conf(glance_store={
                    'swift_store_multi_tenant': 'True'}),
                'c': self.conf(DEFAULT={'glance_api_version': '2'})}))

    def test_package(self):
        check = nova_checks.Package()
        self.assertEqual(
            ['a driver', '[glance] odd'], [name for name, _ in self.run_it(
                check, package=[facts.Tried('a driver', 'broken')],
                unknown=['odd'])])
        check = nova_checks.Package()
        self.run_it(check, nova=self.conf())
        self.assertIn('does not enable', check.note)
        check = nova_checks.Package()
        self.run_it(check, nova=self.conf(
            DEFAULT={'config_source': 'a, b'}, b={'driver': 'nova_image'}))
        self.assertEqual('', check.note)

    def test_clients(self):
        self.assertEqual(
            [('b', '5 requests'), ('a', '2 requests')], self.run_it(
                nova_checks.Clients(), clients={'a': 2, 'b': 5}))
