"""One family of errors. Each keeps its evidence; none carries personal data in its text but the sender's own file."""

from __future__ import annotations

from pathlib import Path


class ClientImportError(Exception):
    """Everything this project raises on purpose."""


class FileRefused(ClientImportError):
    """The sender's file cannot be used as a whole (SPEC.md section 4). `line` counts from 1."""

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
    """The storage is not where the settings say, or an inbox cannot be reached. Names no file."""


class FileNotInInbox(ClientImportError):
    """A run was asked for one file by name, and the inbox does not have it."""


class ClaimedByAnotherRun(FileNotInInbox):
    """The upload this run was started for has been taken by another run: nothing is left to do."""


class UploadNotFound(ClientImportError):
    """Nobody uploaded anything under this id."""


class KeyUsedOtherwise(ClientImportError):
    """An Idempotency-Key came again with another file, feed or upload_request."""


class ClientsChanged(ClientImportError):
    """The client table is not what it was when the import was prepared: prepare again."""


class OutcomesDoNotAddUp(ClientImportError):
    """A record would have vanished. Nothing is committed (SPEC.md section 7)."""


class SettingInvalid(ClientImportError):
    """An environment variable is missing or does not make sense."""


class ImportNotFound(ClientImportError):
    """The ledger has no import with this id."""


class TransitionNotAllowed(ClientImportError):
    """An import cannot go from its state to the other one (`include.models.TRANSITIONS`)."""


class NothingToRevert(ClientImportError):
    """The import did nothing to the clients that could be taken back."""


class PersonNotNamed(ClientImportError):
    """Asked to forget a person by what is neither an e-mail address nor a client's id. Never shows what was given."""


class StepFailed(ClientImportError):
    """A fault of ours in one step: database, storage or a bug. Names no value of any row."""

    def __init__(self, step: str, cause: BaseException) -> None:
        origin = getattr(cause, "orig", None)
        details = [type(origin or cause).__name__, getattr(origin, "sqlstate", None)]
        details.append(getattr(getattr(origin, "diag", None), "constraint_name", None))
        super().__init__(f"{step} failed: {', '.join(str(d) for d in details if d)}")
