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

"""The man pages in the repository are up to date."""

import re

import six

from nova_image.host import launcher
from nova_image.tests.unit.cmd import case

if six.PY3:
    import configparser
    import importlib.util

    from nova_image.cmd import replicator
    from nova_image.cmd import status
    from nova_image.status import audit
    from nova_image.status import halves


class TestManPages(case.TestCase):
    """doc/man"""

    def setUp(self):
        super(TestManPages, self).setUp()
        if importlib.util.find_spec('sphinx') is None:
            self.skipTest('Sphinx, which is only for 3.11, is not installed')

    def test_have_the_words_of_their_sources(self):
        from tools import man_page
        for name, built in man_page.build().items():
            self.assertEqual(
                man_page.words(built),
                man_page.words(man_page.page(name).read_text()),
                'Run "python -m tools.man_page" and commit the result.')

    def test_are_installed_for_every_program(self):
        from tools import man_page
        config = configparser.ConfigParser()
        config.read(man_page.ROOT / 'setup.cfg')
        programs = {line.split()[0] for line in config['entry_points'][
            'console_scripts'].splitlines() if line}
        self.assertEqual(programs, set(man_page.titles()))
        self.assertEqual(
            {'doc/man/%s.1' % name for name in programs},
            set(re.findall(r'\S+\.1$', config['files']['data_files'],
                           re.MULTILINE)))

    def test_describes_the_options_of_nova_image_run(self):
        from tools import man_page
        text = ' '.join(man_page.words(
            man_page.page('nova-image-run').read_text()))
        for part in re.findall(r'^With --check, (.*?)\. [A-Z]',
                               ' '.join(launcher.USAGE.split('\n\n')[2]
                                        .split())):
            self.assertIn(part[0].upper() + part[1:], text)
        for option in re.findall(r' (--[a-z]+)', launcher.USAGE):
            self.assertIn(option, text)

    def test_describes_the_options_of_nova_image_replicator(self):
        from tools import man_page
        text = ' '.join(man_page.words(
            man_page.page('nova-image-replicator').read_text()))
        for action in replicator.build()._actions:
            for option in action.option_strings:
                self.assertIn(option, text)
        for name in replicator.VERBS:
            self.assertIn('[OPTION ...] %s ' % name, text)

    def test_describes_the_checks_of_nova_image_status(self):
        from tools import man_page
        text = re.sub(r"\(dq|'|\(aq", '', ' '.join(man_page.words(
            man_page.page('nova-image-status').read_text())))
        for check in audit.all_checks(halves.kinds()):
            for part in (check.name, check.title + '.', check.why,
                         'What to do: ' + check.advice,
                         'Result: %s. Requests: %s.' % (
                             check.result, check.cost)):
                self.assertIn(' '.join(man_page.words(
                    part.replace("'", ''))), text)

    def test_describes_the_options_of_nova_image_status(self):
        from tools import man_page
        text = ' '.join(man_page.words(
            man_page.page('nova-image-status').read_text()))
        upgrade = status.build_commands()._subparsers._group_actions[
            0].choices['upgrade']
        check = upgrade._subparsers._group_actions[0].choices['check']
        for action in check._actions:
            for option in action.option_strings:
                if action.dest != 'help':
                    self.assertIn(option, text)
