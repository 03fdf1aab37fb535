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

"""A cloud of the memory, for commands."""

import io

from nova_image import exception


class Images(object):
    """An image API that records its calls and returns images from a list.

    :ivar calls: (method, arguments)
    """

    def __init__(self, *images):
        self.images = list(images)
        self.calls = []
        self.error = None

    def get_all(self, context, **kwargs):
        """Return the images with the filters' name, or hidden ones."""
        self.calls.append(('get_all', kwargs))
        filters = kwargs['filters']
        name, hidden = filters.get('name'), filters.get('os_hidden', False)
        return [image for image in self.images
                if name in (None, image['name'])
                and image.get('os_hidden', False) == hidden]

    def get(self, context, image_id, all_fields=False):
        """Return an image."""
        self.calls.append(('get', image_id))
        error = self.error
        if isinstance(error, dict):
            error = error.get(image_id)
        if error is not None:
            raise error
        for image in self.images:
            if image['id'] == image_id:
                return image
        raise exception.ImageNotFound(image_id=image_id)

    def create(self, context, image, data=None, id_is_new=False,
               all_fields=False):
        """Be interrupted, as by Ctrl-C."""
        self.calls.append(('create', id_is_new and image['id']))
        raise KeyboardInterrupt

    def import_image(self, context, image_id, method, **kwargs):
        """Be interrupted, as by Ctrl-C."""
        self.calls.append(('import_image', image_id, method))
        raise KeyboardInterrupt

    def update(self, context, image_id, changes, data=None, **kwargs):
        """Return the first image, unchanged."""
        self.calls.append(('update', image_id, changes, kwargs))
        return self.images[0]

    def unset(self, context, image_id, **kwargs):
        """Return the first image, or raise the error."""
        self.calls.append(('unset', image_id, kwargs))
        if self.error:
            raise self.error
        return self.images[0]

    def deactivate(self, context, image_id):
        """Raise the error for this image, if there is one."""
        self._act('deactivate', image_id)

    def reactivate(self, context, image_id):
        """Raise the error for this image, if there is one."""
        self._act('reactivate', image_id)

    def _act(self, name, image_id):
        self.calls.append((name, image_id))
        error = (self.error or {}).get(image_id)
        if error is not None:
            raise error

    def delete(self, context, image_id):
        """Raise the error for this image, if there is one."""
        self._act('delete', image_id)


class Cloud(object):
    """Stands in for nova_image.cmd.session.Cloud."""

    caller = 'me'

    def __init__(self, images):
        self.images = images


def shell(images):
    """Return the application with these images and captured output."""
    from nova_image.cmd import shell as real
    app = real.Shell()
    app.cloud = Cloud(images)
    app.configure_logging = lambda: None
    app.stdout, app.stderr = io.StringIO(), io.StringIO()
    return app
