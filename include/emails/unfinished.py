"""Write the mail about a run that a system error ended before its summary could be mailed. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from include.emails.letter import Letter


@dataclass(frozen=True)
class UnfinishedRun(Letter):
    """A run without a summary. `cause`: why, without a full stop; it holds no cell and no file name."""

    feed: str
    title: str
    cause: str
    link: str

    @property
    def subject(self) -> str:
        return f"{self.feed}: SYSTEM ERROR, the run has not finished"

    @property
    def paragraphs(self) -> list[str]:
        return [
            f"{self.title} ({self.feed})",
            f"A system error stopped the run before it could say what became of its files: {self.cause}.",
            "No file is lost, and nothing is imported by halves. The error is not in a file: nobody needs to send one "
            "again.",
            "What to do: remove the cause, then clear the red tasks of the run. Otherwise the feed's next run goes on "
            "where this one stopped.",
            "You get this mail once, and no further one while the feed's scheduled runs go on failing.",
            f"The run: {self.link}",
        ]
