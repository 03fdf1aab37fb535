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

"""The plans of a run that wait for their transfers."""

from __future__ import annotations

import collections.abc

from nova_image.replication import coordination
from nova_image.replication import schedule
from nova_image.replication import targets


class Plans:
    """Tasks for the images of a source; a run may have to remember many."""

    def __init__(self) -> None:
        self._tasks: dict[str, list[targets.Task]] = {}

    def __len__(self) -> int:
        return len(self._tasks)

    @property
    def size(self) -> int:
        """Bytes of the images."""
        return sum(tasks[0].decision.source.size or 0
                   for tasks in self._tasks.values())

    def add(self, task: targets.Task) -> None:
        """Remember a task, unless there is one for its image and target.

        A listing may show an image twice while others change it.
        """
        tasks = self._tasks.setdefault(task.decision.source.id, [])
        if all(one.target is not task.target for one in tasks):
            tasks.append(task.slim(tasks))

    def remove(self, task: targets.Task) -> bool:
        """Forget a task, and return whether it was remembered."""
        image_id = task.decision.source.id
        tasks = self._tasks.get(image_id, [])
        left = [one for one in tasks if one.target is not task.target]
        if left:
            self._tasks[image_id] = left  # jobs still use the old list
        else:
            self._tasks.pop(image_id, None)
        return len(left) < len(tasks)

    def all(self) -> list[targets.Task]:
        """Return all tasks."""
        return [task for tasks in self._tasks.values() for task in tasks]

    def jobs(self, coordinator: coordination.Coordinator
             ) -> collections.abc.Iterator[schedule.Job]:
        """Yield a job for each image."""
        for image_id in self._tasks:
            yield self._job(image_id, coordinator.is_mine(image_id))

    def _job(self, image_id: str, is_mine: bool = True) -> schedule.Job:
        tasks = self._tasks[image_id]
        return schedule.Job(tasks[0].decision.source, tasks, is_mine)

    def set_aside(self, coordinator: coordination.Coordinator) -> 'Plans':
        """Remove and return what other workers are the first to try.

        This one begins with its own images, and with those that they name.
        """
        found = Plans()
        if not coordinator.is_shared:
            return found
        own = {image_id for image_id in self._tasks
               if coordinator.is_mine(image_id)}
        new = list(own)
        while new:
            needs = self._job(new.pop()).needs & self._tasks.keys() - own
            own |= needs
            new += needs
        for image_id in self._tasks.keys() - own:
            found._tasks[image_id] = self._tasks.pop(image_id)
        return found

    def of(self, target: targets.Target) -> dict[str, targets.Task]:
        """Return {ID of the image: task} for one target."""
        return {image_id: task for image_id, tasks in self._tasks.items()
                for task in tasks if task.target is target}
