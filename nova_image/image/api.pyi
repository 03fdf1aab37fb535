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

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import Literal
from typing import overload
from typing_extensions import Unpack

from oslo_config import cfg

from nova_image.image import driver
from nova_image.image import import_result

class API:
    def __init__(self, conf: cfg.ConfigOpts | None = None,
                 **options: Any) -> None: ...
    @property
    def conf(self) -> cfg.ConfigOpts: ...
    def get_all(self, context: driver._Context,
                **kwargs: Unpack[driver._Listing]
                ) -> list[driver._Image]: ...
    def get(self, context: driver._Context, id_or_uri: str,
            include_locations: bool = False,
            show_deleted: bool = True,
            **options: Unpack[driver._Fields]) -> driver._Image: ...
    def create(self, context: driver._Context, image_info: Mapping[str, Any],
               data: driver._Data | None = None,
               **options: Unpack[driver._Create]) -> driver._Image: ...
    def update(self, context: driver._Context, id_or_uri: str,
               image_info: Mapping[str, Any],
               data: driver._Data | None = None,
               purge_props: bool = False,
               **options: Unpack[driver._Update]) -> driver._Image: ...
    def unset(self, context: driver._Context, id_or_uri: str,
              properties: Sequence[str] = (), tags: Sequence[str] = (),
              **options: Unpack[driver._Fields]) -> driver._Image: ...
    def deactivate(self, context: driver._Context,
                   id_or_uri: str) -> Literal[True]: ...
    def reactivate(self, context: driver._Context,
                   id_or_uri: str) -> Literal[True]: ...
    def delete(self, context: driver._Context,
               id_or_uri: str) -> Literal[True]: ...
    @overload
    def download(self, context: driver._Context, id_or_uri: str,
                 data: None = None, dest_path: None = None,
                 trusted_certs: Sequence[str] | None = None,
                 **options: Unpack[driver._Download]) -> Iterator[bytes]: ...
    @overload
    def download(self, context: driver._Context, id_or_uri: str,
                 data: driver._Writer, dest_path: str | None = None,
                 trusted_certs: Sequence[str] | None = None,
                 **options: Unpack[driver._Download]) -> None: ...
    @overload
    def download(self, context: driver._Context, id_or_uri: str,
                 data: driver._Writer | None = None, *, dest_path: str,
                 trusted_certs: Sequence[str] | None = None,
                 **options: Unpack[driver._Download]) -> None: ...
    def import_info(self, context: driver._Context) -> dict[str, Any]: ...
    def stage(self, context: driver._Context, id_or_uri: str,
              data: driver._Data,
              progress: Callable[[import_result.Seen], object] | None = None
              ) -> int: ...
    @overload
    def import_image(self, context: driver._Context, id_or_uri: str,
                     method: str, *, wait: Literal[True] = True,
                     **options: Unpack[driver._Import]
                     ) -> driver._Result: ...
    @overload
    def import_image(self, context: driver._Context, id_or_uri: str,
                     method: str, *, wait: Literal[False],
                     **options: Unpack[driver._Import]) -> None: ...
    @overload
    def import_image(self, context: driver._Context, id_or_uri: str,
                     method: str, *, wait: bool,
                     **options: Unpack[driver._Import]
                     ) -> driver._Result | None: ...
    @overload
    def create_via_import(self, context: driver._Context,
                          image_info: Mapping[str, Any], method: str, *,
                          id_is_new: bool = False,
                          wait: Literal[True] = True,
                          **options: Unpack[driver._Import]
                          ) -> tuple[driver._Image | None,
                                     driver._Result]: ...
    @overload
    def create_via_import(self, context: driver._Context,
                          image_info: Mapping[str, Any], method: str, *,
                          id_is_new: bool = False,
                          wait: Literal[False],
                          **options: Unpack[driver._Import]
                          ) -> tuple[driver._Image, None]: ...
    @overload
    def create_via_import(self, context: driver._Context,
                          image_info: Mapping[str, Any], method: str, *,
                          id_is_new: bool = False,
                          wait: bool, **options: Unpack[driver._Import]
                          ) -> tuple[driver._Image | None,
                                     driver._Result | None]: ...
    @overload
    def copy_image_to_store(self, context: driver._Context, image_id: str,
                            store: str, *, wait: Literal[False] = False,
                            **options: Unpack[driver._Copy]) -> None: ...
    @overload
    def copy_image_to_store(self, context: driver._Context, image_id: str,
                            store: str, *, wait: Literal[True],
                            **options: Unpack[driver._Copy]
                            ) -> driver._Result: ...
    @overload
    def copy_image_to_store(self, context: driver._Context, image_id: str,
                            store: str, *, wait: bool,
                            **options: Unpack[driver._Copy]
                            ) -> driver._Result | None: ...
    def members(self, context: driver._Context,
                id_or_uri: str) -> list[driver._Member]: ...
    def add_member(self, context: driver._Context, id_or_uri: str,
                   member: str) -> driver._Member: ...
    def set_member_status(self, context: driver._Context, id_or_uri: str,
                          member: str, status: str) -> driver._Member: ...
    def remove_member(self, context: driver._Context, id_or_uri: str,
                      member: str) -> Literal[True]: ...
    def locations(self, context: driver._Context,
                  id_or_uri: str) -> list[driver._Location]: ...
    def add_location(self, context: driver._Context, id_or_uri: str,
                     url: str, store: str | None = None,
                     **validation: Unpack[driver._Validation]
                     ) -> driver._Image: ...
    def remove_location(self, context: driver._Context, id_or_uri: str,
                        location: Mapping[str, Any]) -> Literal[True]: ...
    def remove_from_store(self, context: driver._Context, id_or_uri: str,
                          store: str) -> Literal[True]: ...
    def import_status(self, context: driver._Context, id_or_uri: str,
                      **options: Unpack[driver._Watching]
                      ) -> import_result.Status: ...
    def generate_image_url(self, image_ref: str,
                           context: driver._Context) -> str: ...
