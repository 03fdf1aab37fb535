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

"""Builds the package that setup.cfg describes."""

import setuptools


class Arguments(list):
    """Arguments that contain ``bdist_wheel`` for anyone who asks."""

    def __contains__(self, argument):
        return argument == 'bdist_wheel' or list.__contains__(self, argument)


class Distribution(setuptools.Distribution, object):
    """A distribution whose requirements keep their markers.

    Unless ``bdist_wheel`` is an argument, pbr evaluates the markers on the
    Python that builds. pip asks for metadata in that way, and then puts it
    into a wheel, which is for all Pythons.
    """

    @property
    def script_args(self):
        """The arguments of setup.py."""
        return self._script_args

    @script_args.setter
    def script_args(self, arguments):
        self._script_args = arguments and Arguments(arguments)


setuptools.setup(setup_requires=['pbr>=2.0.0'], pbr=True,
                 distclass=Distribution)
