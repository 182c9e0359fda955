"""Delivers files through iTwin Storage and one storage connection of an iModel.

Sources: Storage API, "Create file", "Update file content", "Complete file upload";
Synchronization API, "Run storage connection", "Get storage connection run".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from ...cloud.blob_reader import BlobReader
from ...cloud.blobs import Blobs
from ...cloud.client import Platform
from ...cloud.faults import unclear
from ...cloud.values import SourceFile, Upload
from ...core import commands, facts
from ...core.model import Fault, FileKey, StorageId
from ...errors import CloudError
from ..connection_runs import PlatformConnection
from ..protocol import Content
from ..run_reports import RunReports
from .account_faults import nobodys_file
from .comparison import CloudComparison
from .contents import StoredContents, same_name, takeable, version_of
from .held_content import HELD, HeldContents
from .leftovers import find_leftovers
from .refused_names import with_name_advice
from .settings import StorageConnectionSettings
from .staging import StagedContents
from .tree import StorageTree
from .unfinished import UnfinishedUploads

_NOT_REOPENED: Final = {404, 409, 422}  # no further URL for a file that was never completed
_NO_SECOND_URL: Final = (
    "the upload URL ended before all bytes were sent, and the platform gives a new file no "
    "second one; the upload begins again. If that repeats, the line is too slow for this file: "
    "raise `bandwidth`, or lower `uploads` so that fewer files share the line"
)


class StorageConnection(PlatformConnection):
    """A Target: one configured storage connection. `tree` is shared by those of one iTwin."""

    def __init__(
        self,
        platform: Platform,
        blobs: Blobs,
        reader: BlobReader,
        tree: StorageTree,
        settings: StorageConnectionSettings,
        *,
        reports: RunReports | None = None,
    ) -> None:
        """Send nothing before the first command."""
        super().__init__(platform, settings, reports=reports)
        self._profile = settings.profile
        self._blobs = blobs
        self._reader = reader
        self._tree = tree
        self._folder_of, self._key_at = settings.folder_of, settings.key_at
        self._is_on_drive = settings.is_on_drive
        self._rate = settings.rate
        self._staging = StagedContents()
        self._unfinished = UnfinishedUploads(platform, blobs)
        self._held = HeldContents(platform, reader, tree, settings.folder_of).find

    def store(
        self,
        command: commands.Store,
        content: Content,
        note: Callable[[facts.Reserved], None],
    ) -> facts.Stored:
        """Replace the file's content, or create the file; its id stays the same for life."""
        storage_id, done = command.storage_id, self._unfinished.finish(command)
        if done is None and (held := self._held(command)):
            stored_id = StorageId(held.id)
            note(facts.Reserved(command.key, stored_id, is_new=False))
            return facts.Stored(command.key, command.digest, stored_id, version_of(held), HELD)
        if done is None:
            upload = self._send(command, content, note)
            storage_id, done = upload.storage_id, self._unfinished.complete(command, upload)
        else:
            content.note_sent(content.size_bytes)
        if done.size_bytes not in {None, content.size_bytes}:
            sizes = f"{content.size_bytes} bytes were sent, Storage holds {done.size_bytes}"
            raise unclear("complete a file in Storage", sizes)
        return facts.Stored(command.key, command.digest, storage_id, version_of(done))

    def _send(
        self,
        command: commands.Store,
        content: Content,
        note: Callable[[facts.Reserved], None],
    ) -> Upload:
        """Bring the content to where it belongs; the upload must only be completed."""
        try:
            upload, first = self._reserve(command)
        except CloudError as exc:
            raise nobodys_file(exc) from exc
        note(facts.Reserved(command.key, upload.storage_id, is_new=first))
        staged = self._staging.take(command.key, command.digest, upload.storage_id)
        if staged is None or not self._blobs.commit_staged(content, staged, upload.url):
            self._blobs.upload(
                content,
                upload.url,
                lambda: self._fresh_url(upload.storage_id, first=first),
                first=first,
                rate=self._rate,
            )
        return upload

    def stage(self, command: commands.Stage, content: Content) -> facts.Staged:
        """Send the blocks of the file's next content, which nobody sees before a store."""
        self._staging.drop(command.key)
        storage_id = command.storage_id
        try:
            url = self._platform.update_content(storage_id).url
        except CloudError as exc:
            raise nobodys_file(exc) from exc

        def fresh() -> str:
            return self._fresh_url(storage_id, first=False)

        blocks = self._blobs.stage(content, url, fresh, rate=self._rate)
        self._staging.keep(command.key, command.digest, storage_id, blocks)
        return facts.Staged(command.key, command.digest)

    def place(self, command: commands.Place) -> facts.Placed:
        """Rename the file in Storage and move it into its folder, as far as it is elsewhere."""
        try:
            self._place(command.key, command.storage_id)
        except CloudError as exc:
            raise nobodys_file(exc) from exc
        return facts.Placed(command.key)

    def _place(self, key: FileKey, storage_id: StorageId) -> None:
        try:
            found = self._platform.file(storage_id)
        except CloudError as exc:
            if exc.failure.fault is not Fault.GONE:
                raise
            self._platform.restore_file(storage_id)
            found = self._platform.file(storage_id)
        folder, name = self._folder(key), key.path.rpartition("/")[2]
        if found.parent_id != folder:
            self._platform.move_file(storage_id, folder)
        if not same_name(found.name, name):
            self._rename(storage_id, name)
        self._tree.placed(folder, name, storage_id)

    def _rename(self, storage_id: StorageId, name: str) -> None:
        try:
            self._platform.rename_file(storage_id, name)
        except CloudError as exc:
            raise with_name_advice(exc, name) from exc

    def remove(self, command: commands.Remove) -> facts.Removed:
        """Take source files out of the connection, and delete in Storage what is to go there.

        A missing permission is the account's trouble: it raises, so that no file is given up.
        """
        listed = self._platform.source_files(command.remote_id) if command.remote_id else ()
        held = {each.storage_id: each.id for each in listed}
        refused: list[tuple[FileKey, str]] = []
        for file in command.files:
            try:
                for storage_id in {file.storage_id, *file.replaces} & held.keys():
                    self._platform.remove_source_file(command.remote_id, held[storage_id])
                if file.delete:
                    self._platform.delete_file(file.storage_id)
            except CloudError as exc:
                failure = nobodys_file(exc).failure
                if failure.fault not in {Fault.REFUSED, Fault.FILE}:
                    raise nobodys_file(exc) from exc
                refused.append((file.key, failure.message))
        not_removed = {key for key, _ in refused}
        done = tuple(file.key for file in command.files if file.key not in not_removed)
        return facts.Removed(command.connection, done, tuple(refused))

    def start_run(
        self, command: commands.StartRun
    ) -> facts.RunStarted | facts.RunRefused | facts.StartClashed:
        """Request a run once; 303 names the active run, which may be anybody's."""
        return self._started(command, self._platform.start_run(command.remote_id))

    def compare(self, command: commands.Compare) -> facts.Compared:
        """Compare what is remembered with Storage, the source files and the newest run."""
        contents = StoredContents(self._platform, self._reader, self._tree, self._folder_of)

        def leftovers(others: Iterable[SourceFile]) -> Iterable[tuple[FileKey, StorageId]]:
            return find_leftovers(self._platform, others, contents.path_of, self._key_at)

        return CloudComparison(self._platform, contents, self._settings, leftovers).compare(command)

    # ---- Storage ------------------------------------------------------------------------

    def _reserve(self, command: commands.Store) -> tuple[Upload, bool]:
        """Return where the content goes, and whether nothing can be there yet."""
        if command.storage_id:
            known = self._reopen(command.key, command.storage_id)
            if known is not None:
                return known, False
        try:
            return self._adopt_or_create(command.key)
        except CloudError as exc:
            if exc.failure.fault is not Fault.GONE:
                raise
            self._tree.forget()  # a folder is gone: look again from the top, once
            return self._adopt_or_create(command.key)

    def _folder(self, key: FileKey) -> str:
        """Return the id of the file's folder, which exists now."""
        path = self._folder_of(key)
        try:
            self._platform.folder(folder := self._tree.folder(path))
        except CloudError as exc:
            if exc.failure.fault is not Fault.GONE:
                raise
            self._tree.forget()
            folder = self._tree.folder(path)
        return folder

    def _adopt_or_create(self, key: FileKey) -> tuple[Upload, bool]:
        folder = self._tree.folder(self._folder_of(key))
        name = key.path.rpartition("/")[2]
        twins = takeable(self._tree.twins(folder, name), name, self._is_on_drive)
        for storage_id in (*self._tree.files(folder, name), *twins):
            found = self._reopen(key, storage_id)
            if found is not None:
                if storage_id in twins:  # of a file that is gone: only one of both can be there
                    self._place(key, storage_id)
                return found, False
            self._tree.vanished(folder, name, storage_id)
        try:
            made = self._platform.create_file(folder, name)
        except CloudError as exc:
            if self._profile.finds_unfinished():
                self._tree.doubt(folder)  # it may have been created all the same
            raise with_name_advice(exc, name) from exc
        self._tree.created(folder, name, made.storage_id)
        return made, True

    def _reopen(self, key: FileKey, storage_id: StorageId) -> Upload | None:
        """Return where to replace the file's content; None if it cannot be used any more.

        A file that somebody deleted is brought back, so that its elements in the iModel keep their
        source. Whether a file that was never completed can be replaced is not documented; where the
        service refuses it, a new file replaces it.
        """
        try:
            return self._platform.update_content(storage_id)
        except CloudError as exc:
            if exc.failure.fault is Fault.GONE:
                return self._restore(key, storage_id)
            if exc.status in {409, 422} and not self._has_content(storage_id):
                return None
            raise

    def _restore(self, key: FileKey, storage_id: StorageId) -> Upload | None:
        """Bring a file back from the recycle bin; None if it is not there, or may not be.

        Somebody may have renamed or moved it before it was deleted.
        """
        try:
            self._platform.restore_file(storage_id)
            upload = self._platform.update_content(storage_id)
        except CloudError as exc:
            if exc.failure.fault in {Fault.GONE, Fault.REFUSED, Fault.UNAUTHORISED}:
                return None
            raise
        try:
            self._place(key, storage_id)
        except CloudError as exc:
            if exc.failure.fault is not Fault.REFUSED:
                raise
        return upload

    def _has_content(self, storage_id: StorageId) -> bool:
        try:
            return bool(self._platform.file(storage_id).size_bytes)
        except CloudError as exc:
            if exc.failure.fault is Fault.GONE:
                return False
            raise

    def _fresh_url(self, storage_id: StorageId, *, first: bool) -> str:
        """Return another URL for an upload that is under way.

        Raises a transient CloudError where a file that was never completed gets none: the next
        upload then begins with a new file.
        """
        if first and not self._profile.renews_unfinished():
            raise unclear("renew an upload URL", _NO_SECOND_URL)
        try:
            return self._platform.update_content(storage_id).url
        except CloudError as exc:
            if first and exc.status in _NOT_REOPENED:
                raise unclear("renew an upload URL", _NO_SECOND_URL) from exc
            raise
