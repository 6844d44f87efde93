"""Figures of the book: one style, and a caption, a text for the blind and the data with each."""

import base64
import csv
import html
import io
import re
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import display
from matplotlib.collections import QuadMesh
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.text import Text
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from nickbook.plot import STYLE

FIGURE_MIME = "application/vnd.nickbook.figure+json"
CAPTION_MIME = "application/vnd.nickbook.caption+json"

# A page is about 650 CSS pixels wide: matplotlib's 10 pt text is then 17 px there and 9 px on a
# phone, and every size that matplotlib looks up late keeps its default.
PIXELS_PER_INCH = 120

#: A palette may change this part of the pixels by this many of 255 levels; then steps are seen.
VISIBLE_PART, VISIBLE_LEVELS = 0.002, 8

_LABEL = re.compile(r"fig-[a-z0-9]+(-[a-z0-9]+)+")


def subplots(
    rows: int = 1,
    columns: int = 1,
    *,
    width: float = 5.4,
    height: float = 3.3,
    sharex: bool = False,
    sharey: bool = False,
) -> tuple[Figure, Any]:
    """Open a figure with axes in the book's style.

    Parameters
    ----------
    rows, columns : int
        The arrangement of the axes.
    width, height : float
        Size of the whole figure in inches; 5.4 inches fill a page's text width.
    sharex, sharey : bool
        Whether all axes share their x or y limits.

    Returns
    -------
    figure : Figure
        To be handed to `figure` when it is drawn.
    axes : Axes or ndarray of Axes
        One axes for a single panel, otherwise an array as `matplotlib.pyplot.subplots` gives it.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from nickbook.book import subplots
    >>> fig, axes = subplots(1, 2, width=5.4, height=2.6)
    >>> axes.shape, fig.get_size_inches().tolist()
    ((2,), [5.4, 2.6])
    >>> plt.close(fig)
    """
    size = (width, height)
    with plt.rc_context(STYLE):
        fig, axes = plt.subplots(
            rows, columns, figsize=size, layout="constrained", sharex=sharex, sharey=sharey
        )
    return fig, axes


def figure(
    fig: Figure,
    *,
    label: str,
    caption: str,
    alt: str,
    check: str,
    data: Mapping[str, ArrayLike],
) -> None:
    r"""Show a figure with all that a reader needs to trust and reuse it.

    Parameters
    ----------
    fig : Figure
        A drawn matplotlib figure; it is closed here, so that nothing shows it twice.
    label : str
        ``fig-<chapter>-<name>``, the anchor of cross-references.
    caption : str
        Markdown with ``$math$``.
    alt : str
        What the figure shows, in plain text, for readers who cannot see it.
    check : str
        Markdown: how converged the numbers are, and which second route confirms them.
    data : mapping of str to array_like
        The numbers behind the figure. Columns of equal length become a CSV file with ten
        significant digits, anything else an NPZ file.

    Raises
    ------
    TypeError, ValueError
        If a part is missing or malformed; the message names it and says what to write.

    Examples
    --------
    >>> from nickbook.book import figure, subplots
    >>> fig, axes = subplots()
    >>> lines = axes.plot([0.0, 1.0], [1.0, 0.0])
    >>> figure(
    ...     fig,
    ...     label="fig-5-gap",
    ...     caption="The gap against temperature.",
    ...     alt="A line that falls from one to zero as the temperature rises.",
    ...     check="A straight line through two points.",
    ...     data={"T": [0.0, 1.0], "gap": [1.0, 0.0]},
    ... )
    """
    require(fig, Figure, "fig")
    if not fig.axes:
        raise ValueError(f"fig must have axes with something drawn in them, got {fig!r}")
    words = describe(label, caption, alt, check)
    table = data_file(label, data)
    with plt.rc_context(STYLE):
        png = png_bytes(fig)
    width, height = (round(PIXELS_PER_INCH * inches) for inches in fig.get_size_inches())
    look = {"text": _smallest_text(fig), "map": _has_map(fig)}
    plt.close(fig)
    content = {**words, "width": width, "height": height, **look, "data": table}
    show({FIGURE_MIME: content}, png, content)


def require(value: object, kind: type, name: str) -> None:
    """Raise a TypeError that names the argument unless it is of this kind."""
    if not isinstance(value, kind):
        raise TypeError(f"{name} must be a {kind.__name__}, got {value!r}")


def describe(label: str, caption: str, alt: str, check: str) -> dict[str, str]:
    """Check the words that go with a figure; return them as its bundle wants them."""
    words = {"label": label, "caption": caption, "alt": alt, "check": check}
    for name, value in words.items():
        require(value, str, name)
        if not value.strip():
            message = f"{name} must not be empty, got {value!r}: every figure of the book has one"
            raise ValueError(message)
    if not _LABEL.fullmatch(label):
        raise ValueError(f"label must look like 'fig-5-gaps' (fig-<chapter>-<name>), got {label!r}")
    if len(alt.strip()) < 40:
        message = f"alt must say in 40 characters or more what the figure shows, got {alt!r}"
        raise ValueError(message)
    if alt.strip() == caption.strip():
        raise ValueError(f"alt must not repeat the caption, got {alt!r}: describe what is seen")
    return {name: value.strip() for name, value in words.items()}


def data_file(label: str, data: Mapping[str, ArrayLike]) -> dict[str, str]:
    """Write named arrays as the content of a CSV or NPZ file named after the figure."""
    require(data, Mapping, "data")
    if not data:
        raise ValueError(f"data must map at least one name to an array, got {data!r}")
    arrays = {name: np.asarray(values) for name, values in data.items()}
    for name, array in arrays.items():
        require(name, str, "a name in data")
        if array.dtype.kind not in "biufcU":
            raise TypeError(
                f"data[{name!r}] must be an array of numbers or of strings, "
                f"got {type(data[name]).__name__} of dtype {array.dtype}"
            )
    is_table = len({array.shape for array in arrays.values()}) == 1 and all(
        array.ndim == 1 and array.dtype.kind != "c" for array in arrays.values()
    )
    if is_table:
        return {"filename": f"{label}.csv", "text": _csv(arrays)}
    return {"filename": f"{label}.npz", "base64": base64.b64encode(_npz(arrays)).decode()}


def png_bytes(fig: Figure) -> bytes:
    """Render at two device pixels per CSS pixel; the same figure gives the same bytes.

    It has a palette of 256 colours, for a third of the bytes, unless that shows, as it does in some
    maps.
    """
    buffer = io.BytesIO()
    fig.savefig(buffer, format="png", dpi=2 * PIXELS_PER_INCH)
    picture = Image.open(buffer).convert("RGB")
    written = io.BytesIO()
    _with_palette(picture).save(written, format="png", optimize=True)
    return written.getvalue()


def _with_palette(picture: Image.Image) -> Image.Image:
    """Reduce the colours of a picture, or return it as it is where that would be seen."""
    colors = np.asarray(picture, dtype=np.int16)
    for refinements in (0, 1):  # the second palette is better and takes ten times as long
        reduced = picture.quantize(256, kmeans=refinements, dither=Image.Dither.NONE)
        difference = np.abs(np.asarray(reduced.convert("RGB"), dtype=np.int16) - colors)
        if (difference.max(axis=-1) > VISIBLE_LEVELS).mean() <= VISIBLE_PART:
            return reduced
    return picture


def show(bundle: Mapping[str, Any], png: bytes, words: Mapping[str, Any]) -> None:
    """Display a figure's bundle with plainer fallbacks, then its caption.

    The picture is HTML, since JupyterLab and nbconvert give one of type ``image/png`` no
    alternative text, and its label is the target of references in a notebook. The caption is for
    readers in Jupyter and on code hosts; the site prints its own.
    """
    source = f"data:image/png;base64,{base64.b64encode(png).decode()}"
    attributes = {
        "id": words["label"],
        "src": source,
        "width": words["width"],
        "height": words["height"],
        "alt": words["alt"],
    }
    written = " ".join(f'{name}="{html.escape(str(value))}"' for name, value in attributes.items())
    fallback = {"text/html": f"<img {written}>", "text/plain": f"[Figure: {words['alt']}]"}
    publish: Callable[..., None] = display  # which comes without type hints
    publish({**bundle, **fallback}, raw=True)
    caption = {name: words[name] for name in ("label", "caption", "check")}
    text = f"{words['caption']}\n\n*Check.* {words['check']}"
    publish({CAPTION_MIME: caption, "text/markdown": text, "text/plain": text}, raw=True)


def _smallest_text(fig: Figure) -> float:
    """Find the size of the smallest letters in CSS pixels: phones do not shrink them below nine."""
    texts = (text for text in fig.findobj(Text) if text.get_visible() and text.get_text().strip())
    sizes = [float(text.get_fontsize()) for text in texts]  # points
    return round(PIXELS_PER_INCH / 72 * min(sizes, default=10.0), 1)


def _has_map(fig: Figure) -> bool:
    """Tell whether darkness means a quantity somewhere, so that a dark page must not invert it.

    It does where the colours of an area grow lighter or darker all the way. A map of a signed
    quantity, which is pale in the middle, can be inverted: then zero is dark, as the page is.
    """
    areas = (item for ax in fig.axes for item in (*ax.images, *ax.collections))
    for area in areas:
        if not isinstance(area, AxesImage | QuadMesh | ContourSet) or area.get_array() is None:
            continue
        lightness = area.cmap(np.linspace(0, 1, 9))[:, :3] @ [0.2126, 0.7152, 0.0722]
        if np.all(np.diff(lightness) > 0) or np.all(np.diff(lightness) < 0):
            return True
    return False


def _csv(columns: Mapping[str, NDArray[Any]]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    for row in zip(*columns.values(), strict=True):
        writer.writerow(
            f"{value:.10g}" if isinstance(value, np.floating) else str(value) for value in row
        )
    return buffer.getvalue()


def _npz(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, array in arrays.items():
            # numpy.savez leaves the time stamp to zipfile; fixed, equal data are equal bytes.
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(entry, "w") as stream:
                np.lib.format.write_array(stream, array, allow_pickle=False)
    return buffer.getvalue()
