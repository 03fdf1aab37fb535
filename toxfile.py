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

"""Adds to tox a runner for environments whose name is not their Python."""

from tox.plugin import impl
from tox.tox_env.python.virtual_env import runner
from tox.tox_env import register as tox_register


class AnyPython(runner.VirtualEnvRunner):
    """Runs the commands of an environment on its basepython."""

    @staticmethod
    def id() -> str:
        """Return the name of the runner in tox.ini."""
        return 'any-python'

    @classmethod
    def extract_base_python(cls, env_name: str) -> str | None:
        """Return None: the name does not select a Python."""
        return None


@impl
def tox_register_tox_env(register: tox_register.ToxEnvRegister) -> None:
    """Register the runner."""
    register.add_run_env(AnyPython)
