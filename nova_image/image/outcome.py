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

"""What became of a request whose answer was lost.

A retry that is refused may be refused because the first attempt succeeded.
Only the driver can tell, by a look at the image: see Client.call().
"""


class Found(object):
    """The request has taken effect.

    :param value: what the lost answer would have been
    """

    def __init__(self, value=None):
        self.value = value


class Failed(object):
    """The request has not taken effect, and will not if it is sent again.

    :param error: the exception to raise; that of the retry by default
    """

    def __init__(self, error=None):
        self.error = error


class TryAgain(object):
    """Glance is still at work on the first attempt: retry later."""
