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

import abc
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import Literal
from typing import overload
from typing import Protocol
from typing_extensions import Self
from typing import TypedDict
from typing_extensions import Unpack

from oslo_config import cfg
from oslo_log import log as logging

from nova_image.image import client as glance_client
from nova_image.image import import_result

LOG: logging.KeywordArgumentAdapter
NAMESPACE: str

class _Context(Protocol):
    @property
    def auth_token(self) -> str | None: ...
    @property
    def user_id(self) -> str | None: ...
    @property
    def project_id(self) -> str | None: ...
    @property
    def roles(self) -> Sequence[str] | None: ...
    @property
    def is_admin(self) -> bool | None: ...

class _Reader(Protocol):
    def read(self, size: int, /) -> bytes: ...

class _Writer(Protocol):
    def write(self, data: bytes, /) -> object: ...

_Data = bytes | bytearray | memoryview | _Reader | Iterable[bytes]
_Image = dict[str, Any]
_Member = dict[str, Any]
_Location = dict[str, Any]
_Result = (import_result.Imported | import_result.Failed
           | import_result.TimedOut)

class _Listing(TypedDict, total=False):
    filters: Mapping[str, Any] | None
    marker: str | None
    limit: int | None
    page_size: int | None
    sort_key: str | None
    sort_dir: str | None
    all_fields: bool

class _Download(TypedDict, total=False):
    inspect: bool
    progress: Callable[[int, int | None, float], object] | None
    replace: bool

class _Copy(TypedDict, total=False):
    all_stores_must_succeed: bool | None
    timeout: float | None
    progress: Callable[[import_result.Seen], object] | None

class _Import(_Copy, total=False):
    data: _Data | None
    uri: str | None
    glance_region: str | None
    glance_image_id: str | None
    glance_service_interface: str | None
    stores: Sequence[str] | None
    all_stores: bool
    os_hash_algo: str | None
    os_hash_value: str | None
    keep: bool

class _Validation(TypedDict, total=False):
    os_hash_algo: str | None
    os_hash_value: str | None

class _Watching(TypedDict, total=False):
    watch: bool
    timeout: float | None
    progress: Callable[[import_result.Seen], object] | None

class _Create(TypedDict, total=False):
    id_is_new: bool
    all_fields: bool

class _Fields(TypedDict, total=False):
    all_fields: bool

class _Update(TypedDict, total=False):
    all_fields: bool
    add_tags: Sequence[str]

class ImageDriver(metaclass=abc.ABCMeta):
    deprecation: str
    no_import: tuple[str, str]
    no_locations: tuple[str, str]
    client: glance_client.Client
    def __init__(self, client: glance_client.Client) -> None: ...
    def resolve(self, context: _Context,
                reference: str) -> tuple[Self, str]: ...
    def url_of(self, context: _Context, image_id: str) -> str: ...
    @abc.abstractmethod
    def detail(self, context: _Context,
               **kwargs: Unpack[_Listing]) -> list[_Image]: ...
    @abc.abstractmethod
    def show(self, context: _Context, image_id: str,
             include_locations: bool = False,
             show_deleted: bool = True,
             all_fields: bool = False) -> _Image: ...
    @abc.abstractmethod
    def create(self, context: _Context, image_meta: Mapping[str, Any],
               data: _Data | None = None,
               id_is_new: bool = False,
               all_fields: bool = False) -> _Image: ...
    @abc.abstractmethod
    def update(self, context: _Context, image_id: str,
               image_meta: Mapping[str, Any], data: _Data | None = None,
               purge_props: bool = True, all_fields: bool = False,
               add_tags: Sequence[str] = ()) -> _Image: ...
    def unset(self, context: _Context, image_id: str,
              properties: Sequence[str] = (), tags: Sequence[str] = (),
              all_fields: bool = False) -> _Image: ...
    def deactivate(self, context: _Context,
                   image_id: str) -> Literal[True]: ...
    def reactivate(self, context: _Context,
                   image_id: str) -> Literal[True]: ...
    @abc.abstractmethod
    def delete(self, context: _Context, image_id: str) -> Literal[True]: ...
    @overload
    @abc.abstractmethod
    def download(self, context: _Context, image_id: str, data: None = None,
                 dst_path: None = None,
                 trusted_certs: Sequence[str] | None = None,
                 **options: Unpack[_Download]) -> Iterator[bytes]: ...
    @overload
    @abc.abstractmethod
    def download(self, context: _Context, image_id: str, data: _Writer,
                 dst_path: str | None = None,
                 trusted_certs: Sequence[str] | None = None,
                 **options: Unpack[_Download]) -> None: ...
    @overload
    @abc.abstractmethod
    def download(self, context: _Context, image_id: str,
                 data: _Writer | None = None, *, dst_path: str,
                 trusted_certs: Sequence[str] | None = None,
                 **options: Unpack[_Download]) -> None: ...
    def fetch(self, context: _Context, image_id: str,
              data: _Writer | None = None, dst_path: str | None = None,
              trusted_certs: Sequence[str] | None = None,
              **options: Unpack[_Download]) -> _Image | None: ...
    def data_requests(self, context: _Context, image_id: str,
                      action: Literal['download', 'upload']
                      ) -> Iterator[dict[str, Any]]: ...
    def import_info(self, context: _Context) -> dict[str, Any]: ...
    def stage(self, context: _Context, image_id: str, data: _Data,
              progress: Callable[[import_result.Seen], object] | None = None
              ) -> int: ...
    @overload
    def import_image(self, context: _Context, image_id: str, method: str, *,
                     wait: Literal[True] = True,
                     **options: Unpack[_Import]) -> _Result: ...
    @overload
    def import_image(self, context: _Context, image_id: str, method: str, *,
                     wait: Literal[False],
                     **options: Unpack[_Import]) -> None: ...
    @overload
    def import_image(self, context: _Context, image_id: str, method: str, *,
                     wait: bool,
                     **options: Unpack[_Import]) -> _Result | None: ...
    @overload
    def create_via_import(self, context: _Context,
                          image_meta: Mapping[str, Any], method: str,
                          id_is_new: bool = False, *,
                          wait: Literal[True] = True,
                          **options: Unpack[_Import]
                          ) -> tuple[_Image | None, _Result]: ...
    @overload
    def create_via_import(self, context: _Context,
                          image_meta: Mapping[str, Any], method: str,
                          id_is_new: bool = False, *,
                          wait: Literal[False], **options: Unpack[_Import]
                          ) -> tuple[_Image, None]: ...
    @overload
    def create_via_import(self, context: _Context,
                          image_meta: Mapping[str, Any], method: str,
                          id_is_new: bool = False, *,
                          wait: bool, **options: Unpack[_Import]
                          ) -> tuple[_Image | None, _Result | None]: ...
    @overload
    def image_import_copy(self, context: _Context, image_id: str,
                          stores: Sequence[str], *,
                          wait: Literal[False] = False,
                          **options: Unpack[_Copy]) -> None: ...
    @overload
    def image_import_copy(self, context: _Context, image_id: str,
                          stores: Sequence[str], *, wait: Literal[True],
                          **options: Unpack[_Copy]) -> _Result: ...
    @overload
    def image_import_copy(self, context: _Context, image_id: str,
                          stores: Sequence[str], *, wait: bool,
                          **options: Unpack[_Copy]) -> _Result | None: ...
    @abc.abstractmethod
    def members(self, context: _Context, image_id: str) -> list[_Member]: ...
    @abc.abstractmethod
    def add_member(self, context: _Context, image_id: str,
                   member: str) -> _Member: ...
    @abc.abstractmethod
    def set_member_status(self, context: _Context, image_id: str,
                          member: str, status: str) -> _Member: ...
    @abc.abstractmethod
    def remove_member(self, context: _Context, image_id: str,
                      member: str) -> Literal[True]: ...
    def locations(self, context: _Context,
                  image_id: str) -> list[_Location]: ...
    def add_location(self, context: _Context, image_id: str, url: str,
                     store: str | None = None,
                     **validation: Unpack[_Validation]) -> _Image: ...
    def remove_location(self, context: _Context, image_id: str,
                        location: Mapping[str, Any]) -> Literal[True]: ...
    def remove_from_store(self, context: _Context, image_id: str,
                          store: str) -> Literal[True]: ...
    def import_status(self, context: _Context, image_id: str,
                      **options: Unpack[_Watching]
                      ) -> import_result.Status: ...

def load(conf: cfg.ConfigOpts | None = None, log_is_ready: bool = True,
         **options: Any) -> ImageDriver: ...
def name_of(conf: cfg.ConfigOpts) -> str: ...
def begin_log(loaded: ImageDriver, conf: cfg.ConfigOpts) -> None: ...
