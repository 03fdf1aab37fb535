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

"""The image API for callers: Nova's own method names and signatures."""

from nova_image.image import driver


class API(object):
    """Images by ID or by URL, through the configured driver.

    Images are dicts in the format of nova_image.image.driver.ImageDriver,
    and errors those of nova_image.exception. The URL of an image is accepted
    only if its Glance is configured or in the caller's catalog, because the
    caller's token is sent there.

    :param conf: an oslo.config ConfigOpts; the global one by default
    :param options: for nova_image.image.driver.load
    """

    def __init__(self, conf=None, **options):
        self._driver = driver.load(conf, **options)

    @property
    def conf(self):
        """The configuration."""
        return self._driver.client.conf

    def get_all(self, context, **kwargs):
        """List images; the parameters are those of ImageDriver.detail.

        :param context: the caller's context
        :returns: list of images
        """
        return self._driver.detail(context, **kwargs)

    def get(self, context, id_or_uri, include_locations=False,
            show_deleted=True, **options):
        """Return one image.

        :param id_or_uri: ID of an image, or its URL
        :param include_locations: whether to add ``locations``
        :param show_deleted: whether a deleted image may be returned
        :param options: ``all_fields`` of ImageDriver.show
        """
        service, image_id = self._driver.resolve(context, id_or_uri)
        return service.show(context, image_id,
                            include_locations=include_locations,
                            show_deleted=show_deleted, **options)

    def create(self, context, image_info, data=None, **options):
        """Create an image, with or without data.

        :param image_info: dict in the format of images
        :param data: bytes, binary file object or iterable of bytes
        :param options: ``id_is_new`` and ``all_fields`` of
            ImageDriver.create
        :returns: the image
        """
        return self._driver.create(context, image_info, data=data,
                                   **options)

    def update(self, context, id_or_uri, image_info, data=None,
               purge_props=False, **options):
        """Change an image, and give it data if it does not have any yet.

        :param purge_props: whether to remove properties that image_info lacks
        :param options: ``all_fields`` and ``add_tags`` of ImageDriver.update
        :returns: the image
        """
        service, image_id = self._driver.resolve(context, id_or_uri)
        return service.update(context, image_id, image_info, data=data,
                              purge_props=purge_props, **options)

    def unset(self, context, id_or_uri, properties=(), tags=(), **options):
        """Remove custom properties and tags from an image.

        :param properties: list of names
        :param tags: list of tags
        :param options: ``all_fields`` of ImageDriver.unset
        :returns: the image
        """
        service, image_id = self._driver.resolve(context, id_or_uri)
        return service.unset(context, image_id, properties=properties,
                             tags=tags, **options)

    def deactivate(self, context, id_or_uri):
        """Make an image's data unavailable to all but administrators.

        :returns: True
        """
        service, image_id = self._driver.resolve(context, id_or_uri)
        return service.deactivate(context, image_id)

    def reactivate(self, context, id_or_uri):
        """Make a deactivated image's data available again.

        :returns: True
        """
        service, image_id = self._driver.resolve(context, id_or_uri)
        return service.reactivate(context, image_id)

    def delete(self, context, id_or_uri):
        """Delete an image.

        :returns: True
        """
        service, image_id = self._driver.resolve(context, id_or_uri)
        return service.delete(context, image_id)

    def download(self, context, id_or_uri, data=None, dest_path=None,
                 trusted_certs=None, **options):
        """Fetch an image's data, verified against what Glance recorded.

        :param data: binary file object to write to
        :param dest_path: path of the file to create
        :param trusted_certs: IDs of certificates for the image's signature
        :param options: ``inspect``, ``progress`` and ``replace`` of
            ImageDriver.download
        :returns: None; without data and dest_path an iterator of bytes
        """
        service, image_id = self._driver.resolve(context, id_or_uri)
        return service.download(context, image_id, data=data,
                                dst_path=dest_path,
                                trusted_certs=trusted_certs, **options)

    def import_info(self, context):
        """Return the import methods and the stores of Glance.

        :returns: dict of ``methods`` and ``stores``, see
            ImageDriver.import_info
        """
        return self._driver.import_info(context)

    def stage(self, context, id_or_uri, data, progress=None):
        """Send data that an import takes later.

        :returns: the number of bytes
        """
        service, image_id = self._driver.resolve(context, id_or_uri)
        return service.stage(context, image_id, data, progress=progress)

    def import_image(self, context, id_or_uri, method, **options):
        """Make Glance get an image's data, and wait until it has it.

        :param options: and ``method`` see ImageDriver.import_image
        :returns: nova_image.image.import_result.Result
        """
        service, image_id = self._driver.resolve(context, id_or_uri)
        return service.import_image(context, image_id, method, **options)

    def create_via_import(self, context, image_info, method, **options):
        """Create an image and make Glance get its data.

        :param options: and ``method`` see ImageDriver.create_via_import
        :returns: (image, nova_image.image.import_result.Result)
        """
        return self._driver.create_via_import(context, image_info, method,
                                              **options)

    def copy_image_to_store(self, context, image_id, store, **options):
        """Begin to copy an image's data to another store of Glance.

        :param store: ID of the store
        :param options: ``wait`` and others, see
            ImageDriver.image_import_copy
        :returns: None; with ``wait`` a nova_image.image.import_result.Result
        """
        service, image_id = self._driver.resolve(context, image_id)
        return service.image_import_copy(context, image_id, [store],
                                         **options)

    def members(self, context, id_or_uri):
        """List the projects that an image is shared with.

        :returns: list of dicts in the format of ImageDriver.members
        """
        service, image_id = self._driver.resolve(context, id_or_uri)
        return service.members(context, image_id)

    def add_member(self, context, id_or_uri, member):
        """Give a project access to an image.

        :param member: ID of the project
        :returns: the member, a dict
        """
        service, image_id = self._driver.resolve(context, id_or_uri)
        return service.add_member(context, image_id, member)

    def set_member_status(self, context, id_or_uri, member, status):
        """Accept or reject an image that is shared with a project.

        :param member: ID of the project
        :param status: 'accepted', 'rejected' or 'pending'
        :returns: the member, a dict
        """
        service, image_id = self._driver.resolve(context, id_or_uri)
        return service.set_member_status(context, image_id, member, status)

    def remove_member(self, context, id_or_uri, member):
        """Revoke a project's access to an image.

        :param member: ID of the project
        :returns: True
        """
        service, image_id = self._driver.resolve(context, id_or_uri)
        return service.remove_member(context, image_id, member)

    def locations(self, context, id_or_uri):
        """List the locations of an image, which may contain credentials.

        :returns: list of dicts in the format of ImageDriver.locations
        """
        service, image_id = self._driver.resolve(context, id_or_uri)
        return service.locations(context, image_id)

    def add_location(self, context, id_or_uri, url, store=None, **validation):
        """Give an image a location, and wait until the image is active.

        :param validation: and ``url``, ``store`` see ImageDriver.add_location
        :returns: the image
        """
        service, image_id = self._driver.resolve(context, id_or_uri)
        return service.add_location(context, image_id, url, store=store,
                                    **validation)

    def remove_location(self, context, id_or_uri, location):
        """Remove a location of an image, and its data from the store.

        :param location: dict, as in locations()
        :returns: True
        """
        service, image_id = self._driver.resolve(context, id_or_uri)
        return service.remove_location(context, image_id, location)

    def remove_from_store(self, context, id_or_uri, store):
        """Remove the data of an image from one of several stores.

        :param store: ID of the store
        :returns: True
        """
        service, image_id = self._driver.resolve(context, id_or_uri)
        return service.remove_from_store(context, image_id, store)

    def import_status(self, context, id_or_uri, **options):
        """Return the state of an import, also of one that others have begun.

        :param options: ``watch``, ``timeout`` and ``progress`` of
            ImageDriver.import_status
        :returns: nova_image.image.import_result.Status
        """
        service, image_id = self._driver.resolve(context, id_or_uri)
        return service.import_status(context, image_id, **options)

    def generate_image_url(self, image_ref, context):
        """Return the URL of an image at one of the known endpoints.

        :param image_ref: ID of the image
        """
        return self._driver.url_of(context, image_ref)
