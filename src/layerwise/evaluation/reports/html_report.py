"""One HTML page of a run: its texts, and the figures that lie beside it; it needs no network and no server."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from urllib.parse import quote

WIDE = 1.7
# Of a table with more rows the first ones are shown, and the others by a click: the figures stand below it.
LONG_TABLE, SHOWN_ROWS = 20, 12
TABLE = re.compile(r"<table>\n(<thead>.*?</thead>\n)<tbody>\n(.*?)</tbody>\n</table>", re.DOTALL)
IMAGES = (".png", ".gif", ".jpg", ".jpeg", ".webp", ".svg", ".apng")
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #222; max-width: 1100px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.7rem; margin-bottom: .3rem; } h2 { font-size: 1.25rem; margin-top: 2rem; }
table { border-collapse: collapse; display: block; overflow-x: auto; font-size: .9rem; }
th, td { border: 1px solid #ddd; padding: .25rem .6rem; text-align: left; vertical-align: top; }
thead:not(:has(th:not(:empty))) { display: none; }
th { background: #f4f6f8; } tr:nth-child(even) td { background: #fafafa; }
code { font-size: .9em; overflow-wrap: anywhere; } summary { cursor: pointer; font-weight: 600; margin-top: 2rem; }
.rows summary { font-weight: 400; margin: .4rem 0; }
.run { color: #666; font-size: .9rem; } .run td, .run th { border: 0; background: none; padding: 0 1rem 0 0; }
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(430px, 1fr)); gap: 1.5rem;
  grid-auto-flow: dense; }
figure { margin: 0; } figure.wide { grid-column: 1 / -1; }
figure img { max-width: 100%; border: 1px solid #eee; background: white; }
figcaption { color: #666; font-size: .9rem; }
strong { color: #a33; }
"""


def render_html_report(
    title: str,
    facts: Mapping[str, str],
    texts: Sequence[str],
    figures: Sequence[str],
    others: Sequence[str] = (),
) -> str:
    """Return the page.

    Args:
        title: its heading.
        facts: what the run is, by name.
        texts: the run's reports, in Markdown. HTML in them is shown as text.
        figures: paths of pictures, relative to the page. A picture that is not there is looked for beside the page,
            where it lies on the computer that made it.
        others: paths of further files, as links.
    """
    run = "".join(
        f"<tr><th>{html.escape(name)}</th><td>{html.escape(value)}</td></tr>" for name, value in facts.items()
    )
    pictures = "".join(_figure(path) for path in figures if path.lower().endswith(IMAGES))
    links = [*others, *(path for path in figures if not path.lower().endswith(IMAGES))]
    parts = [
        f"<h1>{html.escape(title)}</h1>",
        f'<table class="run">{run}</table>',
        *(_folded(_to_html(text)) for text in texts[:1]),
        f'<h2>Figures</h2><div class="figures">{pictures}</div>' if pictures else "",
        *(_folded(_to_html(text)) for text in texts[1:]),
        f"<h2>Files</h2><ul>{''.join(_link(path) for path in links)}</ul>" if links else "",
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>{STYLE}</style></head>\n<body>\n"
        + "\n".join(part for part in parts if part)
        + "\n</body></html>\n"
    )


def _to_html(text: str) -> str:
    # Imported here, as only a run's end needs it.
    from markdown_it import MarkdownIt

    return str(MarkdownIt("commonmark", {"html": False}).enable("table").render(text))


def _folded(text: str) -> str:
    """Return a text whose last section, where it is the parameters, opens by a click, as the ends of long tables do."""
    head, found, parameters = text.partition("<h2>Parameters</h2>")
    head = TABLE.sub(_shortened, head)
    return f"{head}<details><summary>Parameters</summary>{parameters}</details>" if found else head


def _shortened(table: re.Match[str]) -> str:
    """Return a table with its first rows, and a second one below it, which opens by a click, with the others."""
    header, rows = table[1], table[2].split("</tr>\n")[:-1]
    if len(rows) <= LONG_TABLE:
        return table[0]
    first, others = (
        f"<table>\n{header}<tbody>\n{''.join(f'{row}</tr>' for row in part)}</tbody>\n</table>"
        for part in (rows[:SHOWN_ROWS], rows[SHOWN_ROWS:])
    )
    more = len(rows) - SHOWN_ROWS
    return f'{first}\n<details class="rows"><summary>{more} more rows</summary>\n{others}\n</details>'


def _figure(path: str) -> str:
    name = path.rsplit("/", 1)[-1]
    caption = html.escape(name.rsplit(".", 1)[0].replace("_", " "))
    # Beside the page on the computer that made it, in a folder among the artifacts of its run.
    beside = f"this.onerror=null;this.src='{quote(name)}'"
    # Several panels side by side take the whole width: at half of it nobody reads them.
    wide = f"if(this.naturalWidth>{WIDE}*this.naturalHeight)this.closest('figure').className='wide'"
    return (
        f'<figure><a href="{quote(path)}"><img src="{quote(path)}" alt="{caption}" onerror="{beside}" '
        f'onload="{wide}"></a>'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def _link(path: str) -> str:
    return f'<li><a href="{quote(path)}">{html.escape(path)}</a></li>'
