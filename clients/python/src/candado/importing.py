"""``candado-import``: takes the TOTP secrets of a CSV file over into the service."""

from __future__ import annotations

import argparse
import asyncio
import csv
import os
import sys
import time
from dataclasses import astuple, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING

from . import _rows
from ._client import AsyncCandado
from ._errors import CandadoError, RateLimitedError
from ._files import private_file
from ._journal import Journal, Mark
from ._progress import progress
from ._rows import FileError, Refusal, Row, Sheet

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ._progress import Bar, Lines

DESCRIPTION = """\
Imports the TOTP secrets of a CSV file into Candado. Its first line names the columns:
user_id and secret (base32) or otpauth_url, and optionally algorithm, digits, period,
account_name, email, phone. Run it again to go on after an interruption, or to try refused
rows again: what is done is not done twice."""

EPILOG = """\
environment:
  CANDADO_URL, CANDADO_CLIENT_ID and CANDADO_CLIENT_SECRET, in place of the options
exit status:
  0 every row is imported, 1 some were refused, 2 the import did not begin or not end"""

TRIES = 6
"""Of one row that fails, before the import as a whole stops. Waiting for its turn is no failure."""
LONGEST_PAUSE = 120
"""For a service that fails. One that is well and asks for patience gets it."""
FULL = "account_limit_reached"
ROW_STATUSES = (400, 409, 413, 422, 500)
"""What is wrong with one row only. Everything else is wrong with all of them."""


class Stopped(Exception):  # noqa: N818
    """The import cannot go on."""


@dataclass
class Outcome:
    imported: int = 0
    found: int = 0
    """Registered by a try whose answer never came."""
    refused: list[Refusal] = field(default_factory=list)


class Import:
    """Some rows at a time; what the service says about its pace holds for all of them."""

    def __init__(self, mfa: AsyncCandado, journal: Journal, shown: Bar | Lines) -> None:
        self.outcome = Outcome()
        self._mfa = mfa
        self._journal = journal
        self._shown = shown
        self._resume_at = 0.0

    async def run(self, rows: Sequence[Row], parallel: int) -> None:
        left = iter(rows)
        workers = [asyncio.create_task(self._work(left)) for _ in range(parallel)]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)

    async def _work(self, rows: Iterator[Row]) -> None:
        for row in rows:
            await self._import(row)
            self._shown.advance()

    async def _import(self, row: Row) -> None:
        unsure = self._journal.marks.get(row.user_id) is Mark.STARTED
        self._journal.mark(row.user_id, Mark.STARTED)
        failures = 0
        while True:
            await self._pause()
            try:
                await self._mfa.import_factor(row.user_id, **row.fields)
            except RateLimitedError as error:
                # Nothing was done.
                self._wait(error, 1 if error.retry_after is None else error.retry_after)
            except CandadoError as error:
                if error.code == "already_registered" and unsure:
                    self.outcome.found += 1
                    break
                if error.code == FULL:
                    self._journal.mark(row.user_id, Mark.REFUSED)
                    raise Stopped(
                        "this client has as many users as its setting max_accounts allows "
                        f"({FULL}). Have it raised"
                    ) from None
                if error.status in ROW_STATUSES:
                    self._refuse(row, error)
                    return
                unsure = True
                failures += 1
                self._slow_down(error, failures)
            else:
                self.outcome.imported += 1
                break
        self._journal.mark(row.user_id, Mark.DONE)

    def _refuse(self, row: Row, error: CandadoError) -> None:
        about = error.field or ""
        self.outcome.refused.append(
            Refusal(row.line, row.user_id, error.code, about, error.message)
        )
        self._journal.mark(row.user_id, Mark.REFUSED)

    def _slow_down(self, error: CandadoError, failures: int) -> None:
        """Lets all rows wait until the service may be well again, or stops the import."""
        passing = error.status in (0, 502, 503, 504)
        pause = 2.0 ** (failures - 1) if error.retry_after is None else error.retry_after
        if not passing or failures == TRIES or pause > LONGEST_PAUSE:
            raise Stopped(str(error)) from None
        self._wait(error, pause)

    def _wait(self, error: CandadoError, pause: float) -> None:
        self._resume_at = max(self._resume_at, time.monotonic() + pause)
        self._shown.note(f"{error.code}: waiting {pause:.0f} s")

    async def _pause(self) -> None:
        if self._resume_at == 0:
            return
        # Another row may move the end of the pause meanwhile.
        while (pause := self._resume_at - time.monotonic()) > 0:  # noqa: ASYNC110
            await asyncio.sleep(pause)
        self._resume_at = 0
        self._shown.note("")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = _parser()
    options = parser.parse_args(arguments)
    options.report = options.report or _beside(options.file, ".refused.csv")
    options.state = options.state or _beside(options.file, ".state")
    if len({path.resolve() for path in (options.file, options.report, options.state)}) < 3:  # noqa: PLR2004
        parser.error("the CSV file, --report and --state must be three files")
    try:
        sheet = _rows.read(options.file)
        _describe(options.file, sheet)
        if options.dry_run:
            return _finish(options.report, sheet.refused)
        url, client_id, secret = _credentials(parser, options)
        journal = Journal(options.state, {"url": url.rstrip("/"), "client_id": client_id})
        mfa = AsyncCandado(url, client_id, secret, timeout=30)
    except (FileError, ValueError) as error:
        prefix = f"{options.file} " if isinstance(error, FileError) else ""
        parser.exit(2, f"{parser.prog}: {prefix}{error}\n")

    rows = [row for row in sheet.rows if journal.marks.get(row.user_id) is not Mark.DONE]
    with journal, progress(len(rows)) as shown:
        run = Import(mfa, journal, shown)
        stopped: str | None = None
        try:
            asyncio.run(_run(run, mfa, rows, options.parallel))
        except Stopped as error:
            stopped = str(error)
        except KeyboardInterrupt:
            stopped = "interrupted"
    outcome = run.outcome
    earlier = len(sheet.rows) - len(rows)
    print(f"{outcome.imported} imported, {earlier + outcome.found} by an earlier run")
    status = _finish(options.report, sorted([*sheet.refused, *outcome.refused], key=_line))
    if stopped is not None:
        print(f"Stopped: {stopped}. Run it again to go on where it stopped.", file=sys.stderr)
        return 2
    return status


async def _run(run: Import, mfa: AsyncCandado, rows: Sequence[Row], parallel: int) -> None:
    async with mfa:
        await run.run(rows, parallel)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "candado-import",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", type=Path, help="the CSV file, in UTF-8")
    parser.add_argument("--dry-run", action="store_true", help="check the file, send nothing")
    parser.add_argument(
        "--url", default=os.environ.get("CANDADO_URL"), help="the service's address"
    )
    parser.add_argument("--client-id", default=os.environ.get("CANDADO_CLIENT_ID"))
    parser.add_argument(
        "--client-secret-file",
        type=Path,
        metavar="PATH",
        help="a file with the client secret; on the command line other users could read it",
    )
    parser.add_argument("--parallel", type=_count, default=4, help="rows at a time (4)")
    parser.add_argument("--report", type=Path, help="refused rows go here (FILE.refused.csv)")
    parser.add_argument("--state", type=Path, help="what is done is noted here (FILE.state)")
    return parser


def _count(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 32:  # noqa: PLR2004
        raise argparse.ArgumentTypeError("1 to 32")
    return number


def _credentials(
    parser: argparse.ArgumentParser, options: argparse.Namespace
) -> tuple[str, str, str]:
    secret = os.environ.get("CANDADO_CLIENT_SECRET", "")
    if options.client_secret_file:
        try:
            secret = options.client_secret_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            parser.error(f"{options.client_secret_file} cannot be read")
    for value, name in [
        (options.url, "--url or CANDADO_URL"),
        (options.client_id, "--client-id or CANDADO_CLIENT_ID"),
        (secret, "--client-secret-file or CANDADO_CLIENT_SECRET"),
    ]:
        if not value:
            parser.error(f"{name} is missing")
    return options.url, options.client_id, secret


def _describe(file: Path, sheet: Sheet) -> None:
    rows, refused = len(sheet.rows) + len(sheet.refused), len(sheet.refused)
    print(f"{file}: {rows} rows, {refused} of them not valid")
    if sheet.ignored_columns:
        print(f"Ignored columns: {', '.join(sheet.ignored_columns)}")


def _finish(report: Path, refused: Sequence[Refusal]) -> int:
    """Writes the report, or removes an earlier one if there is nothing to report."""
    report.unlink(missing_ok=True)
    if not refused:
        return 0
    with private_file(report, "x", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(each.name for each in fields(Refusal))
        writer.writerows(map(_cell, astuple(refusal)) for refusal in refused)
    print(f"{len(refused)} refused: {report} says why")
    return 1


def _cell(value: object) -> str:
    """A text that no spreadsheet takes for a formula (OWASP, CSV injection)."""
    text = str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _beside(file: Path, ending: str) -> Path:
    return file.with_name(file.name + ending)


def _line(refusal: Refusal) -> int:
    return refusal.line


if __name__ == "__main__":
    sys.exit(main())
