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

"""The nova-image command line, for Python 3.9 and later.

The rest of the package also runs on Python 2.7, so importing this package
there fails with a message.
"""

import sys

if sys.version_info < (3, 9):
    sys.exit('nova-image: Python 3.9 or later is required')
