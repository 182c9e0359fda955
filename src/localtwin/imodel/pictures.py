"""Draws a plan as SVG or PNG."""

import io
from collections.abc import Callable, Iterable, Iterator
from xml.sax.saxutils import escape

from localtwin.imodel.outline import Polyline
from localtwin.imodel.plan import UNCHANGED, Bounds, Plan

WIDTH, HEIGHT = 1000, 640  # of the largest picture, in pixels
_MARGIN = 12
_LEGEND = 26  # height of the line below the drawing
_SQUARE = 11
_LINE_WIDTH = 1.4
_CHARACTER_WIDTH = 6.6  # about, of the legend's letters
_FINER_BY = 2  # a PNG is drawn larger by so much, then made smaller, for smooth lines
_STEP = 0.5  # pixels; points that are closer to the last one are left out

Point = tuple[float, float]


def svg(plan: Plan, title: str) -> str:
    """Return the plan as a picture that scales; all in it but the title are numbers."""
    width, height, place = _frame(plan)
    title = "".join(filter(str.isprintable, title))
    paths = [
        f'<path stroke="{layer.colour}" d="{_path(layer.polylines, place)}"/>'
        for layer in plan.layers
        if layer.polylines
    ]
    legend = [
        f'<rect x="{x:g}" y="{height - 18:g}" width="{_SQUARE}" height="{_SQUARE}"'
        f' fill="{colour}"/><text x="{x + _SQUARE + 5:g}" y="{height - 8:g}">{escape(text)}</text>'
        for x, colour, text in _legend(plan)
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}"'
        f' width="{width:g}" height="{height:g}" role="img">'
        f'<title>{escape(title)}</title><rect width="100%" height="100%" fill="#fff"/>'
        f'<g fill="none" stroke-width="{_LINE_WIDTH}" stroke-linecap="round"'
        f' stroke-linejoin="round">{"".join(paths)}</g>'
        f'<g font-family="sans-serif" font-size="12" fill="#374151">{"".join(legend)}</g></svg>\n'
    )


def png(plan: Plan) -> bytes:
    """Return the plan as an image of at most WIDTH pixels."""
    from PIL import Image, ImageDraw, ImageFont  # noqa: PLC0415 (only who wants an image loads it)

    width, height, place = _frame(plan)
    size = round(width * _FINER_BY), round(height * _FINER_BY)
    image = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(image)
    radius = _LINE_WIDTH
    for layer in plan.layers:
        for polyline in layer.polylines:
            points = [(x * _FINER_BY, y * _FINER_BY) for x, y in _thinned(polyline, place)]
            if len(points) > 1:
                draw.line(points, fill=layer.colour, width=round(_LINE_WIDTH * _FINER_BY))
            else:
                ((x, y),) = points
                draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=layer.colour)
    font = ImageFont.load_default(12 * _FINER_BY)
    for x, colour, text in _legend(plan):
        left, top = x * _FINER_BY, (height - 18) * _FINER_BY
        side = _SQUARE * _FINER_BY
        draw.rectangle((left, top, left + side, top + side), fill=colour)
        draw.text((left + side + 5 * _FINER_BY, top - 4), text, fill="#374151", font=font)
    smaller = image.resize((round(width), round(height)), Image.Resampling.LANCZOS)
    data = io.BytesIO()
    smaller.save(data, "PNG", optimize=True)
    return data.getvalue()


def _frame(plan: Plan) -> tuple[float, float, Callable[[Point], Point]]:
    """Return width and height of the picture, and where a point of the plan is in it."""
    bounds = plan.bounds or Bounds(0, 0, 1, 1)
    wide, high = bounds.high_x - bounds.low_x, bounds.high_y - bounds.low_y
    room_x, room_y = WIDTH - 2 * _MARGIN, HEIGHT - 2 * _MARGIN - _LEGEND
    scales = [room / length for room, length in ((room_x, wide), (room_y, high)) if length > 0]
    scale = min(scales, default=1.0)
    drawn_high = max(high * scale, room_y / 8)  # a line is a picture, too
    left = _MARGIN + (room_x - wide * scale) / 2
    bottom = _MARGIN + (drawn_high + high * scale) / 2

    def place(point: Point) -> Point:
        return (
            left + (point[0] - bounds.low_x) * scale,
            bottom - (point[1] - bounds.low_y) * scale,
        )

    return WIDTH, round(drawn_high + 2 * _MARGIN + _LEGEND), place


def _path(polylines: Iterable[Polyline], place: Callable[[Point], Point]) -> str:
    parts: list[str] = []
    for polyline in polylines:
        points = [f"{x:.1f} {y:.1f}" for x, y in _thinned(polyline, place)]
        parts.append(f"M{'L'.join(points)}" if len(points) > 1 else f"M{points[0]}h0")
    return "".join(parts)


def _thinned(polyline: Polyline, place: Callable[[Point], Point]) -> Iterator[Point]:
    """Yield the points in pixels, without those that would not be seen."""
    points = list(map(place, polyline))
    last = points[0]
    yield last
    for number, point in enumerate(points[1:], 2):
        far = abs(point[0] - last[0]) >= _STEP or abs(point[1] - last[1]) >= _STEP
        if far or (number == len(points) and point != points[0]):
            last = point
            yield point


def _legend(plan: Plan) -> Iterator[tuple[float, str, str]]:
    x = float(_MARGIN)
    for layer in plan.layers:
        if layer.legend:
            yield x, layer.colour, layer.legend
            x += _SQUARE + 5 + len(layer.legend) * _CHARACTER_WIDTH + 20
    if plan.bounds is None:
        yield x, UNCHANGED, "No object here has a position to draw."
