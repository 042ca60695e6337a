"""The family of errors. Each keeps its evidence; a text may quote the sender's file, and no other personal data."""

from __future__ import annotations

from pathlib import Path

from include.system_errors import cause_of


class ClientImportError(Exception):
    """Everything this project raises on purpose."""


class FileRefused(ClientImportError):
    """An error in the file: it cannot be used as a whole (SPEC.md section 4). `line` counts from 1."""

    def __init__(self, code: str, message: str, line: int | None = None) -> None:
        super().__init__(code, message, line)
        self.code, self.message, self.line = code, message, line

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line else ""
        return f"{self.code}: {where}{self.message}"


class FeedInvalid(ClientImportError):
    """A feed file does not say what a feed file must say. One sentence per wrong key."""

    def __init__(self, path: Path, sentences: list[str]) -> None:
        super().__init__(path, sentences)
        self.path, self.sentences = path, sentences

    def __str__(self) -> str:
        return "\n".join(f"{self.path}: {sentence}" for sentence in self.sentences)


class StorageMissing(ClientImportError):
    """The storage is not where the settings say, or an inbox cannot be reached. The text names no file."""


class StorageFailed(StorageMissing, OSError):
    """A server of the storage or of an inbox did not do what it was asked. The text names the server, and no file."""


class FileNotInInbox(ClientImportError):
    """A run was started for one file by name, and the inbox does not have it."""


class ClaimedByAnotherRun(FileNotInInbox):
    """Another run has claimed the upload that this run was started for: nothing is left to do."""


class AnotherRunIsAhead(ClientImportError):
    """A later run of the feed has files on the way: files that this run claims now would be merged out of order."""


class UploadNotFound(ClientImportError):
    """There is no upload with this id."""


class KeyUsedOtherwise(ClientImportError):
    """An Idempotency-Key came again with another file, feed or option."""


class TooManyUploads(ClientImportError):
    """Too many uploads of one person wait for a run."""


class TooLateToCancel(ClientImportError):
    """An upload cannot be cancelled any more, or not at this moment. The text says why."""


class UploadCancelled(ClientImportError):
    """The upload that a run was started for has been cancelled."""


class CheckImpossible(ClientImportError):
    """A file could not be checked before it is sent. The text says why, and names nothing of the file."""


class AirflowDatabaseFailed(ClientImportError):
    """Airflow's own database does not answer. The text names the kind of error alone."""


class CheckBroken(ClientImportError):
    """A check of `ClientRows` raised an exception: a system error, never one in the file."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"The checks of {field} could not judge the rows: {reason}.")


class ClientsChanged(ClientImportError):
    """The client table is not what it was when the import was prepared: prepare again."""


class StagedWithOtherFields(ClientsChanged):
    """What is staged was made by a version of this project with other fields: read the file again."""


class ClientsBusy(ClientImportError):
    """Another transaction was in the way until the time for tries was over. Nothing was written; try again later."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"No client was changed: {reason}. It can be tried again; nothing is lost.")


class OutcomesDoNotAddUp(ClientImportError):
    """A record would have vanished. Nothing is committed (SPEC.md section 7)."""


class ServerTooOld(ClientImportError):
    """The PostgreSQL server is older than the oldest that the importer supports (SPEC.md section 8)."""


class SettingInvalid(ClientImportError):
    """An environment variable is missing or does not make sense."""


class ImportNotFound(ClientImportError):
    """The ledger has no import with this id."""


class TransitionNotAllowed(ClientImportError):
    """An import cannot go from its state to the other one (`include.models.TRANSITIONS`)."""


class NothingToRevert(ClientImportError):
    """The import did nothing to the clients that could be undone."""


class PersonNotNamed(ClientImportError):
    """A person is to be erased, and what names them is neither an e-mail address nor a client's id. Never quotes it."""


class WebhookFailed(ClientImportError):
    """A webhook did not take what was posted. The text names its host alone: the address is a secret."""


class StepFailed(ClientImportError):
    """A system error in one step: database, storage or a bug. The text names no value of any row."""

    def __init__(self, step: str, cause: BaseException) -> None:
        super().__init__(f"{step} failed: {sentence_of(cause)}")


def sentence_of(error: BaseException) -> str:
    """Say what went wrong, to anyone: no cell, no file name, no password. Errors of this family say it themselves."""
    if isinstance(error, ExceptionGroup):
        return "; ".join(dict.fromkeys(sentence_of(each) for each in error.exceptions))
    return str(error) if isinstance(error, ClientImportError) else cause_of(error)
