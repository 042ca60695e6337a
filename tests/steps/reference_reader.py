"""CSV as RFC 4180 has it, one character at a time: slow, obvious, and written without looking at the importer."""

from __future__ import annotations

BROKEN = "broken"
UNCLEAR = None
WHITE_SPACE = "\t\n\r" + "".join(c for c in map(chr, range(0x20, 0x3001)) if c.isspace() and c != "\x85")


def read(text: str, delimiter: str) -> list[tuple[int, list[str] | None]] | str:
    """(line, cells) of every record with a cell that is not blank; cells are UNCLEAR where its quotes are not sound.

    BROKEN when quotes reach over a line end and are not sound: it is unknown which records there are.
    """
    records: list[tuple[int, list[str] | None]] = []
    at, line = 0, 1
    while at < len(text):
        start, started = line, at
        cells: list[str] = []
        cell, state, sound, multi = "", "start", True, False
        while True:
            char = text[at] if at < len(text) else ""
            ends = char in ("\n", "\r", "")
            if state == "quoted":
                if char == "":
                    return BROKEN
                if char == '"':
                    state = "quote"
                else:
                    multi = multi or ends
                    line += char == "\n" or (char == "\r" and text[at + 1 : at + 2] != "\n")
                    cell += char
            elif state == "quote" and char == '"':
                cell, state = cell + '"', "quoted"
            elif ends or char == delimiter:
                cells.append(cell)
                cell, state = "", "start"
            elif state == "quote":
                sound = False
                break
            elif state == "start" and char == '"':
                state = "quoted"
            else:
                cell, state = cell + char, "plain"
            if ends and state == "start" and (char != "" or at >= len(text)):
                break
            at += 1
        if not sound or any(cell.startswith(" ") and cell.strip(" ").startswith('"') for cell in cells):
            rest = text[started:]
            end = min([i for i in (rest.find("\n"), rest.find("\r")) if i >= 0] or [len(rest)])
            padded = None if multi or line > start else read_padded(rest[:end], delimiter)
            if padded is not None:
                cells, sound, at = padded, True, started + end
        if not sound:
            odd = rest[:end].count('"') % 2 and (rest[:end].count('"') - rest[:end].count('\\"')) % 2
            if multi or odd:
                return BROKEN
            at = started + end
        if not sound or any(cell.strip(WHITE_SPACE) for cell in cells):
            records.append((start, cells if sound else UNCLEAR))
        if at < len(text):
            at += 2 if text[at : at + 2] == "\r\n" else 1
            line += 1
        else:
            break
    return records


def read_padded(line: str, delimiter: str) -> list[str] | None:
    """Cells of a line with spaces around quoted ones; None where a cell that begins with a quote does not end so."""
    cells, at = [], 0
    while True:
        first = at
        while line[first : first + 1] == " ":
            first += 1
        cell, end = "", -1
        if line[first : first + 1] == '"':
            place = first + 1
            while place < len(line):
                if line[place] == '"' and line[place + 1 : place + 2] == '"':
                    cell, place = cell + '"', place + 2
                elif line[place] == '"':
                    break
                else:
                    cell, place = cell + line[place], place + 1
            after = place + 1
            while line[after : after + 1] == " ":
                after += 1
            if place < len(line) and line[after : after + 1] in ("", delimiter):
                end = after
            elif first == at:
                return None
        if end < 0:
            end = line.find(delimiter, at) if delimiter in line[at:] else len(line)
            cell = line[at:end]
        cells.append(cell)
        if end >= len(line):
            return cells
        at = end + 1
