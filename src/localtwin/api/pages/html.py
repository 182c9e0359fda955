"""Building blocks of HTML pages: the frame, tables, times, sizes.

Everything is escaped except `Html`. No scripts; the style is in the page.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape

from starlette.responses import HTMLResponse, Response

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_REFRESH_S = 3
_KEEP_S = 3600
_STYLE = """
:root{color-scheme:light dark;background:#fff;color:#111827;--link:#1d4ed8;
--line:#8883;--soft:#8881;--dim:#6b7280;--good:#15803d;--bad:#b91c1c;
--busy:#1d4ed8;--odd:#a16207}
@media(prefers-color-scheme:dark){:root{background:#111418;color:#e5e7eb;--link:#93c5fd;
--dim:#9ca3af;--good:#4ade80;--bad:#f87171;--busy:#93c5fd;
--odd:#facc15}}
body{font:15px/1.5 system-ui,sans-serif;max-width:64rem;margin:1.5rem auto;padding:0 1rem;
overflow-wrap:anywhere}
h1{font-size:1.6rem;margin:.2rem 0}h2{font-size:1.2rem;margin:2rem 0 .3rem}
h3{font-size:1rem;margin:1.4rem 0 .3rem}p{margin:.3rem 0}
a,a:visited{color:var(--link)}:focus-visible{outline:2px solid var(--link);outline-offset:2px}
.dim,small{color:var(--dim);font-weight:normal}small{font-size:.8rem}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th{font-weight:600;font-size:.8rem;color:var(--dim)}td,th{text-align:left;vertical-align:top;
padding:.35rem 1.2rem .35rem 0;border-bottom:1px solid var(--line);white-space:nowrap}
td.n,th.n{text-align:right}td.w{white-space:normal;width:100%;min-width:11rem;padding-right:0}
td.w:first-child{padding-right:1.2rem}
@media(max-width:40rem){table,tbody,tr,td,td.n,td.w{display:block;white-space:normal;text-align:left;
padding:.1rem 0;border:0;min-width:0}tr:first-child,td:empty{display:none}
tr{padding:.6rem 0;border-bottom:1px solid var(--line)}
td::before{content:attr(data-title) ": ";color:var(--dim);font-size:.8rem}}
.good{color:var(--good)}.bad{color:var(--bad)}.busy{color:var(--busy)}.odd{color:var(--odd)}
ul{margin:.2rem 0;padding-left:1.1rem}pre{background:var(--soft);padding:.8rem;overflow-x:auto;
border-radius:.4rem}img{display:block;max-width:100%;height:auto;border:1px solid var(--line)}
.ask{max-width:26rem;margin:12vh auto}
button{font:inherit;color:inherit;background:var(--soft);border:1px solid var(--dim);
border-radius:.4rem;padding:.5rem 1.5rem;margin-top:.8rem;cursor:pointer}
code{font-size:.85em}summary{cursor:pointer;margin-top:2rem}
"""


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


Cell = str | int | Html


def page(title: str, *parts: str, live: bool = False, kind: str = "") -> HTMLResponse:
    """Return a whole page; `live`: it shows work in progress, so the browser reloads it.

    `kind` is the class of what it shows.
    """
    of_class = f' class="{kind}"' if kind else ""
    refresh = f'<meta http-equiv="refresh" content="{_REFRESH_S}">' if live else ""
    body = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"{refresh}<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body><main{of_class}>{''.join(map(shown, parts))}</main></body></html>"
    )
    return HTMLResponse(body, headers=_HEADERS)


def message(title: str, *parts: str, status: int = 200) -> HTMLResponse:
    """Return a page that asks or says one thing, that no other site may show in a frame."""
    shown_page = page(title, tag("h1", title), *parts, kind="ask")
    shown_page.status_code = status
    shown_page.headers["X-Frame-Options"] = "DENY"
    return shown_page


def refusal(text: str) -> HTMLResponse:
    """Return a page that refuses what was asked: the first sentence says why, the others help."""
    why, _, more = text.partition(". ")
    return message(why, *([tag("p", more)] if more else []), status=400)


def picture(svg: str) -> Response:
    """Return an SVG picture of our own; a browser may cache it, since it never changes."""
    headers = {**_HEADERS, "Cache-Control": f"private, max-age={_KEEP_S}"}
    return Response(svg, headers=headers, media_type="image/svg+xml")


def tag(name: str, *parts: Cell, kind: str = "") -> Html:
    """Return an element of that name, of the class `kind`."""
    of_class = f' class="{kind}"' if kind else ""
    return Html(f"<{name}{of_class}>{''.join(map(shown, parts))}</{name}>")


def anchor(href: str, text: str) -> Html:
    """Return a link."""
    return Html(f'<a href="{escape(href)}">{escape(text)}</a>')


def image(source: str, text: str) -> Html:
    """Return a picture that is loaded when it comes into sight; `text` is for who can't see it."""
    return Html(f'<img src="{escape(source)}" alt="{escape(text)}" loading="lazy">')


def table(titles: Sequence[str], rows: Iterable[Sequence[Cell]], name: str = "") -> Html:
    """Return a table; numbers are aligned right, a `div` takes the free width and wraps.

    `name` is read aloud for it, else its titles are. Where it is wider than the window, the
    keyboard can scroll it; a telephone stacks its cells.
    """
    listed = list(rows)
    numeric = [isinstance(cell, int) for cell in listed[0]] if listed else []
    head = "".join(
        tag("th", title, kind="n" if right else "")
        for title, right in zip(titles, numeric, strict=True)
    )
    body = "".join(f"<tr>{''.join(map(_cell, row, titles))}</tr>" for row in listed)
    label = escape(name or ", ".join(filter(None, titles)))
    wide = f'<div class="wide" tabindex="0" role="region" aria-label="{label}">'
    return Html(f"{wide}<table><tr>{head}</tr>{body}</table></div>")


def shown(part: Cell) -> str:
    """Return a part as markup."""
    if isinstance(part, Html):
        return part
    return f"{part:,}" if isinstance(part, int) else escape(part)


def moment(stamp: str) -> Html:
    """Return a time in UTC, to the second."""
    return Html(f"{escape(stamp[:10])} {escape(stamp[11:19])}")


def lasted(began: str, ended: str | None) -> str:
    """Return a duration in a suitable unit; "" while it is not over."""
    if ended is None:
        return ""
    took_s = (datetime.fromisoformat(ended) - datetime.fromisoformat(began)).total_seconds()
    if took_s < 60:
        return f"{took_s:.1f} s"
    minutes, seconds = divmod(round(took_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s"


def size(size_bytes: int) -> str:
    """Return a size in the largest binary unit that keeps it at or above 1."""
    amount, unit = float(size_bytes), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if amount < 1024:
            break
        amount, unit = amount / 1024, larger
    return f"{amount:.0f} B" if unit == "B" else f"{amount:.1f} {unit}"


def _cell(cell: Cell, title: str) -> Html:
    """Return a cell that names its column, since a telephone shows rows without the titles."""
    kind = "n" if isinstance(cell, int) else ""
    if isinstance(cell, Html) and cell.startswith("<div"):
        kind = "w"
    of_class = f' class="{kind}"' if kind else ""
    return Html(f'<td data-title="{escape(title)}"{of_class}>{shown(cell)}</td>')
