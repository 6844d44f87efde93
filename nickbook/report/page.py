"""A report as one page of HTML, and several next to each other."""

import re
from collections.abc import Callable, Iterable, Sequence
from html import escape
from io import StringIO
from typing import TYPE_CHECKING, Any

import numpy as np

from nickbook.bands import SQUARE_ELEMENTS, FermiSheet, band_fillings
from nickbook.bands.lattice import in_pi
from nickbook.pairing import PairingState
from nickbook.report.steps import repulsion, resonances

if TYPE_CHECKING:
    from nickbook.report.report import Report

#: Label and text of what was found, by section.
Findings = dict[str, dict[str, str]]
_PARITY = {1: "even", -1: "odd", 0: "none"}
_INK = "#010203"  # any colour that nothing else has: it becomes that of the text
_STYLE = """
:root { color-scheme: light dark }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 56rem; margin: auto; padding: 0 1rem 4rem }
table { border-collapse: collapse; display: block; overflow-x: auto; margin: 1rem 0 }
th, td { padding: .25rem .75rem .25rem 0; text-align: left; vertical-align: top }
tr + tr > * { border-top: 1px solid color-mix(in srgb, currentColor 15%, transparent) }
th { font-weight: 600 }
figure { display: inline-block; margin: 0 1rem 1rem 0; max-width: 100%; vertical-align: top }
svg { max-width: 100%; height: auto }
.differs { background: color-mix(in srgb, #b07d00 15%, transparent) }
.missing { border-left: 3px solid #b07d00; padding-left: .75rem }
"""


def findings(report: "Report") -> Findings:
    """Put in words what a report found."""
    found = {"Model": _model(report), "Bands and Fermi sheets": _bands(report)}
    found["Susceptibility"] = _response(report)
    found["Pairing by fluctuations"] = _pairing(report)
    found["Flow of the interaction"] = _flow(report)
    found["t-J mean field"] = _exchange(report)
    found["What a measurement sees"] = _observables(report)
    return found


def _model(report: "Report") -> dict[str, str]:
    model, sea = report.sea.model, report.sea
    names = {s.name for s in model.symmetries}
    group = "the square" if names == set(SQUARE_ELEMENTS) else ", ".join(sorted(names))
    return {
        "Name": model.name,
        "Orbitals": ", ".join(model.orbitals),
        "Sites of the orbitals": ", ".join(map(str, model.sites)) or "not known",
        "Mirror between layers": "no" if model.mirror is None else "yes",
        "Point group": group or "none was found: channels have a spin and no further name",
        "Electrons per cell": f"{sea.filling:.4f}",
        "Level": f"{sea.mu:.4f} eV",
        "Range of energies": f"{model.state_count.width:.3f} eV",
        "Quality": report.quality.name,
    }


def _bands(report: "Report") -> dict[str, str]:
    sea = report.sea
    electrons = band_fillings(sea.model, sea.mu)
    filled = zip(sea.model.band_names, electrons, strict=True)
    density = sum(sheet.density_of_states for sheet in sea.sheets)
    found = {
        "Electrons in each band": ", ".join(f"{name} {n:.3f}" for name, n in filled),
        "N at the level, per spin and cell": f"{density:.3f} / eV",
    }
    for i, sheet in enumerate(sea.sheets, 1):
        found[f"Sheet {i}"] = _sheet(sheet, sea.model.orbitals)
    return found


def _sheet(sheet: FermiSheet, orbitals: Sequence[str]) -> str:
    shares = zip(orbitals, sheet.average(sheet.orbital_weights), strict=True)
    made = ", ".join(f"{100 * w:.0f}% {name}" for name, w in shares if w >= 0.005)
    area = ""
    if sheet.kind != "open":
        area = f", {sheet.area:.4f} of the zone with {2 * sheet.area:.3f} {sheet.kind}s per cell"
    parity = f", {_PARITY[sheet.parity]}" if sheet.parity else ""
    return (
        f"{sheet.name}: {sheet.shape}{area}{parity}, N {sheet.density_of_states:.3f} / eV; {made}"
    )


def _response(report: "Report") -> dict[str, str]:
    if report.response is None:
        return {}
    chi0, top = report.response.chi0, report.response.peaks
    found = {
        "Temperature": f"{1e3 * chi0.temperature:.3g} meV",
        "Error of the mesh": f"{chi0.mesh_error:.1%}",
    }
    names = report.sea.model.sheet_names
    rows = zip(top.q, top.parity.tolist(), top.contributions, strict=True)
    for i, (q, parity, parts) in enumerate(rows, 1):
        both = np.triu(parts + parts.T - np.diag(np.diag(parts)))
        a, b = np.unravel_index(both.argmax(), both.shape)
        kind = f", {_PARITY[parity]}" if parity else ""
        found[f"Peak {i}"] = (
            f"q = {in_pi(q)}{kind}: {parts.sum():.3f} / eV, of which "
            f"{both[a, b] / parts.sum():.0%} from {names[a]} with {names[b]}"
        )
    if stoner := report.response.stoner:
        found["Spins order"] = f"at U = {stoner.scale:.3f} eV, q = {in_pi(stoner.q)}"
    return found


def _pairing(report: "Report") -> dict[str, str]:
    found = {"Hund's coupling": f"J = {report.hund:.3g} U"} if report.pairing else {}
    for i, item in enumerate(report.pairing, 1):
        first, second = item.states[:2]
        found[f"Interaction {i}"] = (
            f"U = {item.U:.3f} eV, {item.share:.0%} of the Stoner point: {_channel(first)}, next "
            f"{_channel(second)}, which is {second.eigenvalue / first.eigenvalue:.0%}"
        )
    return found


def _channel(state: PairingState) -> str:
    return f"{state.gap.channel} ({state.gap.kind}) λ = {state.eigenvalue:.3f}"


def _flow(report: "Report") -> dict[str, str]:
    flow = report.flow
    if flow is None:
        return {}
    first, second = np.argsort(-flow.eigenvalues[-1])[:2]
    last = f"{1e3 * flow.scales[-1]:.3g} meV"
    return {
        "Repulsion": f"U = {float(flow.interaction.tensor.max()):.3f} eV",
        "End": f"{'diverges at' if flow.diverged else 'no divergence down to'} {last}",
        "Strongest channel": f"{flow.channels[first]}, {flow.eigenvalues[-1, first]:.3g}",
        "Next": f"{flow.channels[second]}, {flow.eigenvalues[-1, second]:.3g}",
        "Patches": ", ".join(f"{len(s.points)} on {s.name}" for s in flow.patches.sheets)
        + "; the scale is rough, as it depends on the signs of the states on them",
    }


def _exchange(report: "Report") -> dict[str, str]:
    if report.exchange is None:
        return {}
    solution = report.exchange
    large = {n: 1e3 * v.real for n, v in solution.unknowns.items()}
    return {
        "Exchange": ", ".join(f"{n} {getattr(solution.bonds, n):.3g} eV" for n in _CONSTANTS),
        "Channel": solution.channel,
        "Amplitudes": ", ".join(f"{n} {v:.2f} meV" for n, v in large.items()),
        "Gap": _gap(solution.gap_function().sheets, solution.gap_function().values),
    }


_CONSTANTS = ("J1", "J2", "J1_inter", "J2_inter")


def _gap(sheets: Sequence[FermiSheet], values: Sequence[Any]) -> str:
    pairs = zip(sheets, values, strict=True)
    return "; ".join(f"{s.name} {1e3 * v.min():.3g} … {1e3 * v.max():.3g} meV" for s, v in pairs)


def _observables(report: "Report") -> dict[str, str]:
    found = {}
    if report.pairing:
        gap = report.leading.gap
        found["State"] = f"{gap.channel} ({gap.kind}) at U = {report.chosen.U:.3f} eV"
    if seen := report.tunnelling:
        found["Gap on each sheet, of a largest one that is chosen"] = _gap(
            seen.gap.sheets, seen.gap.values
        )
        found["Smallest gap"] = f"{1e3 * seen.edge:.3g} meV{'' if seen.edge else ': nodes'}"
        found["Peaks of N(E)"] = ", ".join(f"{1e3 * e:.3g} meV" for e in seen.peaks()) or "none"
    if heat := report.thermodynamics:
        found["2Δ/T_c of the largest gap, weak coupling"] = f"{heat.ratio:.3f}"
        found["Jump of the specific heat ΔC/γT_c"] = f"{heat.jump:.3f}"
    if spins := report.spins:
        edges = [f"from {round(1e3 * edge, 6):.3g} meV" for edge in spins.thresholds]
        apart = report.sea.model.mirror is not None
        found["Pairs of quasiparticles"] = f"even {edges[0]}, odd {edges[1]}" if apart else edges[0]
        place = f"q = {in_pi(spins.q)}"
        try:
            bound = resonances(spins, repulsion(report.sea, report.chosen.U, report.hund))
            parts = (f"{w} {f'{1e3 * e:.3g} meV' if e else 'none'}" for w, e in bound.items())
            found["Resonance"] = f"{place}: {', '.join(parts)}"
        except ValueError as error:
            found["Resonance"] = f"{place}: {error}"
    if dirt := report.impurities:
        where = "one layer" if dirt.layers == "one" else "the whole cell"
        found["Strong impurities"] = (
            f"in {where}: they break pairs at {dirt.pair_breaking / dirt.rate:.2f} times the "
            "average rate of scattering"
        )
        if heat:
            least = dirt.critical_concentration(clean=heat.critical_temperature)
            found["Impurities per cell that end pairing"] = f"{least:.3g}"
    return found


#: Steps whose absence a section explains.
_SECTIONS = {
    "Bands and Fermi sheets": ("spectrum",),
    "Susceptibility": ("response",),
    "Pairing by fluctuations": ("pairing",),
    "Flow of the interaction": ("flow",),
    "t-J mean field": ("exchange",),
    "What a measurement sees": ("tunnelling", "thermodynamics", "spins", "impurities"),
}
#: What a figure shows, how matplotlib draws it, and the result that draws itself without.
Figure = tuple[str, Callable[[Any, Any], object], Any]


def _figures(report: "Report", section: str) -> Iterable[Figure]:
    sea, found, flow, seen = report.sea, report.response, report.flow, report.tunnelling
    if section == "Bands and Fermi sheets":
        yield "Bands", lambda plot, ax: plot.bands(sea, ax=ax), sea.model
        yield "Fermi sheets", lambda plot, ax: plot.sheets(sea, ax=ax), sea
        if (lines := report.spectrum) is not None:
            total = lines.densities.sum(axis=1)
            total[~np.isfinite(total)] = np.nan
            words = {"xlabel": "E − μ (eV)", "ylabel": "density of states (1/eV)"}
            yield "Density of states", lambda _, ax: _curve(ax, lines.energies, total, words), None
    if section == "Susceptibility" and found is not None:
        yield "Susceptibility", lambda plot, ax: plot.susceptibility(found.chi0, ax=ax), found.chi0
    if section == "Pairing by fluctuations" and report.pairing:
        gap = report.leading.gap
        name = f"{gap.channel} at U = {report.chosen.U:.3f} eV"
        yield name, lambda plot, ax: plot.gap(gap, ax=ax), gap
    if section == "Flow of the interaction" and flow is not None:
        limits = (1e-2, 2 * float(flow.eigenvalues[-1].max()))
        yield "Channels", lambda plot, ax: plot.flow(flow, ylim=limits, ax=ax), flow
    if section == "t-J mean field" and report.exchange is not None:
        gap = report.exchange.gap_function()
        yield "Gap", lambda plot, ax: plot.gap(gap, unit="meV", ax=ax), gap
    if section == "What a measurement sees" and seen is not None:
        words = {"xlabel": "E (meV)", "ylabel": "N(E) / N"}
        name = "Density of states with the gap"
        yield name, lambda _, ax: _curve(ax, 1e3 * seen.energies, seen.ratio, words), seen


def _curve(ax: Any, x: Any, y: Any, words: dict[str, str]) -> None:
    ax.plot(x, y)
    ax.set(**words, ylim=(0, None))


def _drawn(figure: Figure, number: str) -> str:
    """One figure as SVG in the colour of the text; a plainer one where matplotlib is missing."""
    name, draw, result = figure
    try:
        from nickbook import plot
    except ImportError:
        image = "" if result is None else result._repr_html_() or ""
    else:
        from matplotlib import rc_context
        from matplotlib.figure import Figure as Canvas

        ink = ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color")
        none = ("figure.facecolor", "axes.facecolor", "savefig.facecolor")
        look = {**plot.STYLE, **dict.fromkeys(ink, _INK), **dict.fromkeys(none, "none")}
        with rc_context({**look, "svg.fonttype": "none", "font.family": "sans-serif"}):
            canvas, out = Canvas(figsize=(4.2, 3.2), layout="constrained"), StringIO()
            draw(plot, canvas.subplots())
            canvas.savefig(out, format="svg", metadata={"Date": None})
        image = _embedded(out.getvalue(), name, number)
    return f"<figure>{image}<figcaption>{escape(name)}</figcaption></figure>" if image else ""


def _embedded(svg: str, name: str, number: str) -> str:
    """Make a file of matplotlib a part of a page: no head, and names that are its own."""
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    svg = re.sub(r'(id="|href="#|url\(#)', rf"\g<1>{number}-", svg).replace(_INK, "currentColor")
    return svg.replace("<svg", f'<svg role="img" aria-label="{escape(name)}"', 1)


def body(report: "Report") -> str:
    """Sections of a report."""
    parts = [f"<h1>{escape(report.sea.model.name)}</h1>"]
    for i, (section, rows) in enumerate(findings(report).items()):
        parts += [f"<h2>{escape(section)}</h2>", _table(rows)]
        for step in _SECTIONS.get(section, ()):
            if step in report.missing:
                reason = f"No {step}: {report.missing[step]}."
                parts.append(f'<p class="missing">{escape(reason)}</p>')
        figures = enumerate(_figures(report, section))
        parts += [_drawn(figure, f"figure-{i}-{j}") for j, figure in figures]
    parts.append(f"<p>It took {sum(report.seconds.values()):.0f} s.</p>")
    return "\n".join(filter(None, parts))


def _table(rows: dict[str, str]) -> str:
    lines = (f"<tr><th>{escape(a)}</th><td>{escape(b)}</td></tr>" for a, b in rows.items())
    return f"<table>{''.join(lines)}</table>" if rows else ""


def page(report: "Report") -> str:
    """Return a page about one report."""
    return _document(report.sea.model.name, body(report))


def comparison(reports: Sequence["Report"]) -> str:
    """Return a page with several reports side by side, where lines that differ are marked.

    Parameters
    ----------
    reports : sequence of Report
        Two or more reports.

    Returns
    -------
    str
        HTML.

    Examples
    --------
    >>> from nickbook.bands import four_band
    >>> from nickbook.report import compare, comparison
    >>> reports = [compare(four_band(), filling=n, only=()) for n in (3.0, 3.1)]
    >>> "differs" in comparison(reports)
    True
    """
    names = [report.sea.model.name for report in reports]
    parts = ["<h1>Side by side</h1>"]
    for section in (all_found := [findings(report) for report in reports])[0]:
        columns = [found[section] for found in all_found]
        lines = [f"<tr><th></th>{''.join(f'<th>{escape(n)}</th>' for n in names)}</tr>"]
        for label in dict.fromkeys(label for column in columns for label in column):
            texts = [column.get(label, "—") for column in columns]
            mark = ' class="differs"' if len(set(texts)) > 1 else ""
            cells = "".join(f"<td>{escape(text)}</td>" for text in texts)
            lines.append(f"<tr{mark}><th>{escape(label)}</th>{cells}</tr>")
        parts.append(f"<h2>{escape(section)}</h2><table>{''.join(lines)}</table>")
    return _document(" · ".join(names), "\n".join(parts))


def _document(title: str, content: str) -> str:
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n{content}\n</body>\n</html>\n"
    )
