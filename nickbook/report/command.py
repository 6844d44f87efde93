"""The command ``nickbook compare``."""

import argparse
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from nickbook.report.page import comparison
from nickbook.report.report import Report, compare
from nickbook.report.steps import QUALITIES


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say in one sentence what is wrong."""
        self.exit(2, f"{self.prog}: {message}; --help says what is allowed\n")


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(float(word) for word in text.split(","))


def _whole(text: str) -> tuple[int, ...]:
    return tuple(int(word) for word in text.split(","))


def _parser() -> argparse.ArgumentParser:
    costs = "; ".join(f"{quality.name}: {quality.cost}" for quality in QUALITIES.values())
    parser = _Parser(prog="nickbook", description="Superconductivity in bilayer nickelates.")
    add = parser.add_subparsers(required=True, metavar="compare", parser_class=_Parser).add_parser(
        "compare", help="take a model through everything the book computes"
    )
    add.description = "Take a model through everything the book computes: one page, one file."
    option = add.add_argument
    about = (
        "FILE_hr.dat or FILE_tb.dat of Wannier90, or a table with R1 R2 m n Re [Im] in each line"
    )
    option("model", nargs="+", type=Path, help=f"{about}; or reports, FILE.nc, side by side")
    option("--filling", type=float, help="electrons per cell, both spins")
    option("--quality", choices=tuple(QUALITIES), default="default", help=f"{costs}, of four bands")
    option("--output", type=Path, help="name of the two files, without .html and .nc")
    option("--kz", type=float, help="plane of a model in three dimensions")
    option("--sites", type=_whole, default=(), help="atom of each orbital, such as 0,0,1,1")
    option("--tolerance", type=float, default=2e-6, help="rounding of the hoppings in eV")
    option("--hund", type=float, default=0.1, help="Hund's coupling over the repulsion")
    option("--U", type=_numbers, default=(), help="repulsions in eV, such as 1,1.2,1.4")
    option("--temperature", type=float, help="of the susceptibility, in eV")
    option("--flow-U", type=float, help="repulsion in eV of the flow")
    words = "exchange in eV in a layer of x2-y2, of z2, and between layers of both"
    option("--exchange", type=_numbers, default=(0.15, 0.075, 0.03, 0.375), help=words)
    option("--gap", type=float, help="largest gap in eV that measurements are of")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Parameters
    ----------
    arguments : sequence of str, optional
        What stands behind ``nickbook``; that of the process when not given.

    Returns
    -------
    int
        0, or 2 after one sentence about what to change.
    """
    given = _parser().parse_args(arguments)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = lambda message, *_, **__: _say(f"note: {message}")
            written = _run(given)
    except OSError as error:
        _say(f"{error.filename or ''}: {error.strerror or error}; give another file or folder")
    except (ValueError, TypeError, ImportError) as error:
        _say(" ".join(str(error).split()))
    else:
        sys.stdout.write(f"wrote {' and '.join(map(str, written))}\n")
        return 0
    return 2


def _say(words: str) -> None:
    sys.stderr.write(f"nickbook compare: {words}\n")


def _run(given: argparse.Namespace) -> list[Path]:
    files = given.model
    saved = [file.suffix == ".nc" for file in files]
    if len(files) > 1 and not all(saved):
        raise ValueError(f"{len(files)} files; allowed: one model, or reports that end in .nc")
    output = given.output or Path("side-by-side" if len(files) > 1 else files[0].stem)
    if not output.parent.is_dir():
        raise ValueError(f"there is no folder {output.parent}; make it or give another --output")
    # A name may hold dots of its own.
    page, file = (output.with_name(output.name + end) for end in (".html", ".nc"))
    if all(saved):
        reports = [Report.load(path) for path in files]
        page.write_text(comparison(reports) if len(reports) > 1 else reports[0].to_html(), "utf-8")
        return [page]
    if given.filling is None:
        raise ValueError("no filling; give --filling, the electrons per cell, such as --filling 3")
    if len(given.exchange) != 4:
        raise ValueError(f"--exchange has {len(given.exchange)} numbers; give four")
    report = compare(
        files[0],
        filling=given.filling,
        quality=given.quality,
        kz=given.kz,
        sites=given.sites,
        tolerance=given.tolerance,
        hund=given.hund,
        U=given.U,
        temperature=given.temperature,
        flow_U=given.flow_U,
        J=given.exchange,
        gap=given.gap,
    )
    report.to_netcdf(file)
    report.to_html(page)
    return [page, file]
