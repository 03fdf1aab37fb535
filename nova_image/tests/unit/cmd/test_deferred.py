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


"""nova_image.cmd.deferred"""

import os
import subprocess
import sys
import textwrap

from nova_image.tests.unit.cmd import case

#: run with a package "wide" whose modules print their name when executed
_PREPARE = """
import sys
import types
from unittest import mock
from nova_image.cmd import deferred
mock.patch.dict(deferred.DEFERRED, dict.fromkeys(%r)).start()
mock.patch.object(deferred, '_HOLLOW', {'hollow'}).start()
mock.patch.object(deferred, '_WITH_VERSION', {'wide'}).start()
deferred.install()
deferred.install()
"""
_FILES = {
    'wide/__init__.py': 'print("wide")\n__version__ = "code"\nsize = 3\n',
    'wide/version.py': 'print("version")\n__version__ = "1.2"\n',
    'wide/part.py': 'print("part")\nsize = 4\n',
    'hollow/__init__.py': 'print("hollow")\nimport hollow.heavy\nsize = 5\n',
    'hollow/heavy.py': 'print("heavy")\n',
    'hollow/light.py': 'print("light")\nsize = 6\n',
    'wcwidth.py': 'print("wcwidth")\n'
                  'def width(text, *, control_codes=None): return 99\n',
    'broken.py': 'print("broken")\nraise OSError("no")\n',
}


class TestDeferred(case.TestCase):
    """Imports in a process of their own."""

    def setUp(self):
        super(TestDeferred, self).setUp()
        import fixtures
        self.folder = self.useFixture(fixtures.TempDir()).path
        for path, text in _FILES.items():
            path = os.path.join(self.folder, path)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, 'w') as stream:
                stream.write(text)

    def _run(self, code):
        """Return the lines that some code prints."""
        code = _PREPARE % (['wide', 'wide.part', 'broken', 'absent'],
                           ) + textwrap.dedent(code)
        path = os.pathsep.join(filter(None, [
            self.folder] + sys.path + [os.environ.get('PYTHONPATH')]))
        done = subprocess.run(
            [sys.executable, '-c', code], timeout=60,
            env=dict(os.environ, PYTHONPATH=path), universal_newlines=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual('', done.stderr)
        return done.stdout.split()

    def test_first_use_executes(self):
        self.assertEqual(['before', 'wide', '3', '3'], self._run("""
            import wide
            import wide as again
            print('before')
            print(wide.size)
            print(again.size)
            """))

    def test_from_import_executes(self):
        self.assertEqual(['wide', '3'], self._run("""
            from wide import size
            print(size)
            """))

    def test_from_import_of_a_deferred_module_does_not(self):
        self.assertEqual(['wide', 'before', 'part', '4'], self._run("""
            from wide import part
            print('before')
            print(part.size)
            """))

    def test_star_import_executes(self):
        self.assertEqual(['wide', '3'], self._run("""
            from wide import *
            print(size)
            """))

    def test_dir_executes(self):
        self.assertEqual(['wide', 'True'], self._run("""
            import wide
            print('size' in dir(wide))
            """))

    def test_is_an_ordinary_module_afterwards(self):
        self.assertEqual(['wide', 'True', 'SourceFileLoader', 'False'],
                         self._run("""
            import wide
            wide.size
            print(type(wide) is types.ModuleType)
            print(type(wide.__spec__.loader).__name__)
            print(hasattr(wide, 'none'))
            """))

    def test_version_is_read_from_its_module(self):
        self.assertEqual(['version', '1.2', 'wide', 'code'], self._run("""
            from wide import __version__
            print(__version__)
            import wide
            wide.size
            print(wide.__version__)
            """))

    def test_widths_of_ascii(self):
        self.assertEqual(['3', 'a', '|', 'wcwidth', '99', '99', '99'],
                         self._run("""
            from wcwidth import width
            import wcwidth
            print(width('a b'))
            print(wcwidth.ljust('a', 2) + '|')
            print(width('\\xe4'))
            print(width('\\x1b'))
            print(width('a', control_codes='ignore'))
            """))

    def test_functions_for_ascii_equal_those_of_wcwidth(self):
        import string

        from nova_image.cmd import deferred
        import wcwidth
        printable = string.digits + string.ascii_letters + (
            string.punctuation + ' ')
        for text in ['', printable, ' a ', 'a' * 300] + list(printable):
            for name, plain in deferred._OF_ASCII.items():
                real = getattr(wcwidth, name, plain)  # older ones lack some
                args = (310,) if name.endswith('just') else ()
                self.assertEqual(real(text, *args), plain(text, *args), name)

    def test_absent_module(self):
        self.assertEqual(['absent'], self._run("""
            try:
                import absent
            except ModuleNotFoundError as error:
                print(error.name)
            """))

    def test_broken_module_raises_at_each_use(self):
        self.assertEqual(['broken', 'no', 'broken', 'no'], self._run("""
            import broken
            for _ in range(2):
                try:
                    broken.size
                except OSError as error:
                    print(error)
            """))

    def test_modules_of_a_hollow_package(self):
        self.assertEqual(['light', '6', 'hollow', 'heavy', '5'], self._run("""
            from hollow import light
            print(light.size)
            import hollow
            hollow.light
            print(hollow.size)
            """))

    def test_threads_execute_once(self):
        self.assertEqual(['wide'] + ['3'] * 8, self._run("""
            import threading
            import wide
            threads = [threading.Thread(
                target=lambda: sys.stdout.write('%d\\n' % wide.size))
                for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            """))

    def test_searching_all_modules_executes_nothing(self):
        self.assertEqual([], self._run("""
            import inspect
            import wide
            import broken
            inspect.getmodule(inspect.currentframe())
            """))
