"""Names what lies in a source's folder, whether it matches or not: to explain a pattern."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from .look import is_unicode
from .tree import Tree


def survey(tree: Tree, limit: int) -> Iterator[str]:
    """Yield the paths of at most `limit` files, those in the upper folders first.

    What cannot be listed is left out. Links are not followed.
    """
    folders = deque([""])
    left = limit
    while folders and left > 0:
        above = folders.popleft()
        try:
            with tree.list(above) as entries:
                found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
        except OSError:
            continue
        tree.answered()
        for name, is_folder in sorted(found):
            path = f"{above}/{name}" if above else name
            if not is_unicode(path):
                continue
            if is_folder:
                folders.append(path)
            elif left > 0:
                left -= 1
                yield path
