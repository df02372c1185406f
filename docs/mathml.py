"""Equations as MathML, which browsers draw by themselves: no script, no network. A hook of MkDocs."""

from __future__ import annotations

import html
import re
from typing import Any

from latex2mathml.converter import convert


def on_page_content(html_text: str, /, **_: Any) -> str:
    """Turn what the extension arithmatex has marked into MathML."""
    text = re.sub(r'<span class="arithmatex">\\\((.*?)\\\)</span>', _inline, html_text, flags=re.DOTALL)
    return re.sub(r'<div class="arithmatex">\\\[(.*?)\\\]</div>', _block, text, flags=re.DOTALL)


def _inline(found: re.Match[str]) -> str:
    return convert(html.unescape(found[1]), display="inline")


def _block(found: re.Match[str]) -> str:
    return f'<p style="text-align: center">{convert(html.unescape(found[1]).strip(), display="block")}</p>'
