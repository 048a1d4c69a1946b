"""Where a plate may be: colour, edge and character-line candidates over one picture, ranked cheaply.

Three generators, because each is blind where another sees: colour where the light is good, upright edges
on any colour, and lines of character-like blobs, which give the tightest frame. A ranker looks at each
candidate's own pixels (changes along the rows, how evenly, contrast, shape, colour).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from devices.camera.pictures import Grey, Picture

Quad = NDArray[np.float32]
"""(4, 2): top left, top right, bottom right, bottom left."""
Outline = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place that may hold a plate, in pixels of the picture as given. rows: 1 or 2 rows of characters."""

    quad: Quad
    source: str
    rank: float = 0.0
    rows: int = 1


@dataclass(frozen=True, slots=True)
class Scaled:
    """A picture at the size in which candidates are looked for; factor: its size over the original's."""

    colour: Picture
    grey: Grey
    factor: float


def scaled(picture: Picture, side: int) -> Scaled:
    """Return the picture with its longer side at `side`, but enlarged twice at most."""
    factor = min(2.0, side / max(picture.shape[:2]))
    size = (max(16, round(picture.shape[1] * factor)), max(16, round(picture.shape[0] * factor)))
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    small = cv2.resize(picture, size, interpolation=how)
    return Scaled(cast(Picture, small), cast(Grey, cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)), factor)


def candidates(picture: Picture, side: int = 960) -> list[Candidate]:
    """Return candidates for plates in a BGR picture, the most plate-like first, near doubles left out."""
    view = scaled(picture, side)
    found = _thinned([*_by_lines(view), *_by_colour(view), *_by_edges(view)])
    kept: list[Candidate] = []
    for one in _ranked(view, found):
        if len(kept) >= _MOST:
            break
        if not any(overlap(one.quad, other.quad) > _SAME for other in kept):
            kept.append(one)
    return [Candidate(one.quad / view.factor, one.source, one.rank, one.rows) for one in kept]


def overlap(one: Quad, other: Quad) -> float:
    """Return the upright boxes' intersection over union, 0-1."""
    low = np.maximum(one.min(axis=0), other.min(axis=0))
    high = np.minimum(one.max(axis=0), other.max(axis=0))
    shared = float(np.prod(np.maximum(high - low, 0)))
    both = float(np.prod(one.max(axis=0) - one.min(axis=0)) + np.prod(other.max(axis=0) - other.min(axis=0)))
    return shared / max(both - shared, 1e-6)


def rectify(picture: Picture, quad: Quad, width: int, height: int) -> Picture:
    """Return what lies in `quad` as width x height pixels; what is outside the picture repeats its border."""
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(quad.astype(np.float32), corners)
    return cast(
        Picture,
        cv2.warpPerspective(
            picture, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        ),
    )


def size_of(quad: Quad) -> tuple[float, float]:
    """Return width and height of a quad: the means of opposite sides."""
    top, bottom = np.linalg.norm(quad[1] - quad[0]), np.linalg.norm(quad[2] - quad[3])
    left, right = np.linalg.norm(quad[3] - quad[0]), np.linalg.norm(quad[2] - quad[1])
    return float(top + bottom) / 2, float(left + right) / 2


def leaning(outline: Outline) -> Quad:
    """Return the parallelogram with upright sides around an outline: a plate seen from beside its car."""
    moments = cv2.moments(outline)
    slope = moments["mu11"] / max(moments["mu20"], 1.0)
    points = outline[:, 0, :].astype(np.float32)
    x0, x1 = points[:, 0].min(), points[:, 0].max()
    level = points[:, 1] - slope * points[:, 0]
    top, bottom = np.percentile(level, [4, 96])
    return np.array(
        [
            [x0, slope * x0 + top],
            [x1, slope * x1 + top],
            [x1, slope * x1 + bottom],
            [x0, slope * x0 + bottom],
        ],
        np.float32,
    )


def _thinned(found: list[Candidate]) -> list[Candidate]:
    """Leave out what another candidate nearly covers, before the costlier ranking."""
    if not found:
        return found
    low = np.array([one.quad.min(axis=0) for one in found])
    high = np.array([one.quad.max(axis=0) for one in found])
    area = np.prod(high - low, axis=1)
    shared = np.prod(
        np.maximum(np.minimum(high[:, None], high[None]) - np.maximum(low[:, None], low[None]), 0), axis=2
    )
    alike = shared / np.maximum(area[:, None] + area[None] - shared, 1e-6) > _ALMOST
    kept: list[int] = []
    for number in range(len(found)):
        if not alike[number, kept].any():
            kept.append(number)
    return [found[number] for number in kept]


_ALMOST = 0.92
_MOST = 16
_SAME = 0.55
_COLOURS = (
    ("blue", (95, 70, 40), (130, 255, 255)),
    ("yellow", (12, 80, 70), (36, 255, 255)),
    ("green", (38, 30, 70), (92, 255, 255)),
)


def _by_colour(view: Scaled) -> Iterator[Candidate]:
    hsv = cv2.cvtColor(view.colour, cv2.COLOR_BGR2HSV)
    for name, low, high in _COLOURS:
        mask = cv2.inRange(hsv, np.array(low), np.array(high))
        mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
        mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((7, 17), np.uint8))
        for quad in _boxes(cast(Grey, mask), 1.4, 7.5):
            yield Candidate(quad, name)


def _by_edges(view: Scaled) -> Iterator[Candidate]:
    smooth = cv2.GaussianBlur(view.grey, (3, 3), 0)
    edges = cv2.convertScaleAbs(cv2.Sobel(smooth, cv2.CV_16S, 1, 0, ksize=3))
    local = cv2.blur(edges, (61, 61)).astype(np.int16)
    strong = ((edges.astype(np.int16) > 2 * local) & (edges > 40)).astype(np.uint8) * 255
    for across, down in ((11, 3), (21, 5), (35, 5)):
        mask = cv2.morphologyEx(strong, cv2.MORPH_CLOSE, np.ones((1, across), np.uint8))
        mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((down, across // 2), np.uint8))
        for quad in _boxes(cast(Grey, mask), 1.6, 8.0):
            yield Candidate(quad, "edges")


def _boxes(mask: Grey, slimmest: float, widest: float) -> Iterator[Quad]:
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    for outline in outlines:
        _, _, width, height = cv2.boundingRect(outline)
        if width < 36 or height < 9 or width > 0.95 * mask.shape[1] or width < 0.5 * height:
            continue
        quad = _upright(cast(Quad, cv2.boxPoints(cv2.minAreaRect(outline))))
        across, down = size_of(quad)
        if across >= 36 and down >= 9 and slimmest <= across / down <= widest:
            yield quad
        if abs(quad[1, 1] - quad[0, 1]) > 0.1 * across or across < slimmest * down:
            sheared = leaning(cast(Outline, outline))
            across, down = size_of(sheared)
            if across >= 36 and down >= 9 and slimmest <= across / down <= widest:
                yield sheared


def _upright(points: NDArray[np.float32]) -> Quad:
    """Order the corners of a rectangle that leans less than 45 degrees."""
    by_x = points[np.argsort(points[:, 0], kind="stable")]
    left = by_x[:2][np.argsort(by_x[:2, 1])]
    right = by_x[2:][np.argsort(by_x[2:, 1])]
    return np.array([left[0], right[0], right[1], left[1]], np.float32)


def _by_lines(view: Scaled) -> Iterator[Candidate]:
    for sign in (cv2.THRESH_BINARY, cv2.THRESH_BINARY_INV):
        for block in (19, 41):
            mask = cv2.adaptiveThreshold(
                view.grey,
                255,
                cv2.ADAPTIVE_THRESH_MEAN_C,
                sign,
                block,
                -6 if sign == cv2.THRESH_BINARY else 6,
            )
            yield from _lines(_blobs(cast(Grey, mask)))


def _blobs(mask: Grey) -> NDArray[np.float32]:
    """Return (n, 4) left, top, width, height of what may be a character, left to right."""
    stats = _components(mask)
    width, height, area = (stats[:, k] for k in range(2, 5))
    good = (
        (height >= 7)
        & (height <= 120)
        & (width <= 1.1 * height)
        & (width >= 1)
        & (area >= 0.15 * width * height)
    )
    good &= (width * 12 >= height) & (area >= 8)
    blobs = stats[good][:, :4].astype(np.float32)
    return blobs[np.argsort(blobs[:, 0])][:_MOST_BLOBS]


_MOST_BLOBS = 1200
_ROWS_AT_ONCE = 128


def _components(mask: Grey) -> NDArray[np.int32]:
    """Return (n, 5) left, top, width, height, area; 16-bit labels take half the time where they suffice."""
    how = cv2.CCL_SPAGHETTI
    try:
        found = cv2.connectedComponentsWithStatsWithAlgorithm(mask, 8, cv2.CV_16U, how)
    except cv2.error:
        found = cv2.connectedComponentsWithStatsWithAlgorithm(mask, 8, cv2.CV_32S, how)
    return cast(NDArray[np.int32], found[2])


def _lines(blobs: NDArray[np.float32]) -> Iterator[Candidate]:
    """Chain blobs of like height that follow one another, and frame each chain of five or more."""
    if len(blobs) < 4:
        return
    parts = [_followers(blobs, first) for first in range(0, len(blobs), _ROWS_AT_ONCE)]
    follower = np.concatenate(parts)
    started = np.ones(len(blobs), bool)
    started[follower[follower >= 0]] = False
    for first in np.flatnonzero(started):
        chain = [int(first)]
        while follower[chain[-1]] >= 0 and len(chain) < 24:
            chain.append(int(follower[chain[-1]]))
        if 4 <= len(chain) <= 14:
            yield Candidate(_framed(blobs[chain]), "line")


def _followers(blobs: NDArray[np.float32], first: int) -> NDArray[np.intp]:
    """Return which blob follows each of `_ROWS_AT_ONCE` blobs from `first` on, -1 for none."""
    left, top, width, height = blobs.T
    x, y = left + width / 2, top + height / 2
    rows = slice(first, first + _ROWS_AT_ONCE)
    h = height[rows, None]
    gap, off = x - x[rows, None], np.abs(y - y[rows, None])
    near = (gap > 0.25 * h) & (gap < 1.35 * h) & (off < 0.3 * h + 0.1 * gap)
    near &= (height > 0.75 * h) & (height < 1.34 * h)
    cost = np.where(near, gap + 1.5 * off + 2 * np.abs(height - h), np.inf)
    return np.where(near.any(axis=1), cost.argmin(axis=1), -1)


def _framed(chain: NDArray[np.float32]) -> Quad:
    """Return the frame of a chain of characters, widened to where a plate's ends would be."""
    left, top, width, height = chain.T
    x, y = left + width / 2, top + height / 2
    away = x - x.mean()
    slope = float((away * (y - y.mean())).sum() / max(float((away * away).sum()), 1e-6))
    base = float(y.mean()) - slope * float(x.mean())
    half = float(np.median(height)) * 0.62
    pitch = float(np.median(np.diff(x))) if len(x) > 1 else half
    lack = max(0, 7 - len(chain))
    first, last = x[0] - 0.7 * pitch, x[-1] + 0.7 * pitch
    if lack:
        first -= lack * pitch * 0.6
        last += lack * pitch * 0.3
    ends = [(first, slope * first + base), (last, slope * last + base)]
    (x0, y0), (x1, y1) = ends
    return np.array([[x0, y0 - half], [x1, y1 - half], [x1, y1 + half], [x0, y0 + half]], np.float32)


def _ranked(view: Scaled, found: list[Candidate]) -> list[Candidate]:
    """Return the candidates with their ranks, the most plate-like first."""
    if not found:
        return []
    parts = [features(view, found[first : first + _AT_ONCE]) for first in range(0, len(found), _AT_ONCE)]
    ranks = np.concatenate(parts) @ _WEIGHTS
    ranked = [
        Candidate(one.quad, one.source, float(rank), one.rows) for one, rank in zip(found, ranks, strict=True)
    ]
    return sorted(ranked, key=lambda one: -one.rank)


_AT_ONCE = 64
_WEIGHTS = np.array(
    [1.4, -1.4, 1.4, -4.5, -2.3, -1.7, 1.1, 0.6, 0.6, 1.9, 2.9, 4.7, 1.1, 0.9, -1.4, -4.4], np.float32
)
FEATURES = (
    "changes",
    "steady",
    "evenness",
    "contrast",
    "slim",
    "wide",
    "colour",
    "line",
    "colour_source",
    "size",
    "edge",
    "band",
    "sides",
    "dark_edge",
    "low_saturation",
    "one",
)


def features(view: Scaled, found: Sequence[Candidate]) -> NDArray[np.float32]:
    """Return (candidates, len(FEATURES)): the ranker's features of each, about 0-1.

    found: one or more, their quads in the view's pixels. All together, because one by one costs ten times.
    """
    patches = np.stack([_patch(view.colour, one.quad) for one in found])
    grey = _converted(patches, cv2.COLOR_BGR2GRAY).astype(np.float32)
    step = np.abs(np.diff(grey, axis=2))
    energy = step[:, 14:34, 12:108]
    mean = energy.mean(axis=(1, 2))
    floor = np.maximum(mean, 1e-3)
    parts = energy.reshape(len(found), 20, 8, 12).mean(axis=(1, 3))
    above, below = step[:, :9, 12:108].mean(axis=(1, 2)), step[:, 39:, 12:108].mean(axis=(1, 2))
    beside = (step[:, 14:34, :8].mean(axis=(1, 2)) + step[:, 14:34, 112:].mean(axis=(1, 2))) / 2
    columns = [
        *_changes(grey[:, 16:32, 12:108]),
        1 - np.minimum(1, parts.std(axis=1) / floor),
        np.minimum(1, grey[:, 16:32, 12:108].std(axis=(1, 2)) / 50),
        *_shapes(found),
        *_tints(patches[:, 14:34, 12:108], found),
        np.minimum(1, mean / 25),
        np.clip(1 - np.maximum(above, below) / floor, 0, 1),
        np.clip(1 - beside / floor, 0, 1),
        np.clip(1 - np.minimum(above, below) / floor, 0, 1),
        np.ones(len(found)),
    ]
    order = [FEATURES.index(name) for name in _MEASURED]
    measured = np.empty((len(found), len(FEATURES)), np.float32)
    measured[:, order] = np.stack(columns, axis=1)
    return measured


_MEASURED = (
    *("changes", "steady", "evenness", "contrast", "slim", "wide", "size"),
    *("colour", "low_saturation", "line", "colour_source"),
    *("edge", "band", "sides", "dark_edge", "one"),
)


def _changes(inside: NDArray[np.float32]) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Return how near the rows' changes of brightness are to a plate's number, and how alike the rows are."""
    rows = np.ascontiguousarray(inside).reshape(-1, inside.shape[2])
    level = cv2.blur(rows, (25, 1)).reshape(inside.shape)
    changes = np.abs(np.diff((inside > level).astype(np.int8), axis=2)).sum(axis=2)
    near = np.maximum(0, 1 - np.abs(np.median(changes, axis=1) - 17) / 12)
    return near, 1 - np.minimum(1, changes.std(axis=1) / 8)


def _shapes(found: Sequence[Candidate]) -> tuple[NDArray[np.floating], ...]:
    sizes = np.array([size_of(one.quad) for one in found])
    width, aspect = sizes[:, 0], sizes[:, 0] / np.maximum(sizes[:, 1], 1e-3)
    slim = np.clip((3.6 - aspect) / 2, 0, 1)
    return slim, np.clip((aspect - 4.2) / 2, 0, 1), np.minimum(1, width / 250)


def _tints(insides: Picture, found: Sequence[Candidate]) -> tuple[NDArray[np.floating], ...]:
    """Return the share of a plate's colour, the share without colour, and two flags by the source."""
    hsv = _converted(insides, cv2.COLOR_BGR2HSV)
    flat = hsv.reshape(-1, hsv.shape[2], 3)
    masks = [cv2.inRange(flat, np.array(low), np.array(high)) for _, low, high in _COLOURS]
    shares = [mask.reshape(len(found), -1).astype(bool).mean(axis=1) for mask in masks]
    sources = [one.source for one in found]
    return (
        np.max(shares, axis=0),
        (hsv[..., 1] < 60).mean(axis=(1, 2)),
        np.array([one == "line" for one in sources], float),
        np.array([one not in ("line", "edges") for one in sources], float),
    )


def _converted(patches: Picture, how: int) -> Picture:
    """Return equal patches in another colour space, by one call for all."""
    rows = np.ascontiguousarray(patches).reshape(-1, patches.shape[2], 3)
    changed = cv2.cvtColor(rows, how)
    return cast(Picture, changed.reshape(*patches.shape[:3], *changed.shape[2:]))


def _patch(colour: Picture, quad: Quad) -> Picture:
    """Return 120 x 48 pixels: the quad, an eighth of its width and half of its height more on each side."""
    centre = quad.mean(axis=0)
    across = (quad[1] - quad[0] + quad[2] - quad[3]) / 4 * 1.25
    down = (quad[3] - quad[0] + quad[2] - quad[1]) / 4 * 2.0
    corners = np.array([centre - across - down, centre + across - down, centre - across + down], np.float32)
    matrix = cv2.getAffineTransform(corners, _PATCH)
    flags = cv2.INTER_LINEAR
    return cast(
        Picture, cv2.warpAffine(colour, matrix, (120, 48), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    )


_PATCH = np.array([[0, 0], [120, 0], [0, 48]], np.float32)
