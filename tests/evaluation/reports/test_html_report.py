import re
from html.parser import HTMLParser

from layerwise.data import ColumnBlock, DataSpec
from layerwise.evaluation.reports import make_model_card, render_html_report

CARD = """# Model card

| metric | value |
| --- | --- |
| a\\|b | 0.5 |

**The network loses.**

- <script>alert(1)</script> & `x`

## Parameters

| name | value |
| --- | --- |
| `seed` | `0` |
"""


class Tags(HTMLParser):
    """Collects the elements, and fails where one is not closed."""

    VOID = ("meta", "img", "br", "hr")

    def __init__(self, page):
        super().__init__()
        self.open, self.found, self.text = [], [], ""
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def page(**more):
    given = {"figures": ["figures/a b.png", "animation/run.gif"], "others": ["predictions.csv"]} | more
    return render_html_report("A <run>", {"problem": "x & y"}, [CARD, "# Second"], **given)


def test_every_element_is_closed_and_texts_are_shown_as_they_are():
    tags = Tags(page())
    assert "A <run>" in tags.text
    assert "x & y" in tags.text
    assert "<script>alert(1)</script> & x" in tags.text
    assert not [tag for tag, _ in tags.found if tag == "script"]
    assert "a|b" in tags.text
    assert ("strong", {}) in tags.found


def test_the_page_loads_nothing_but_the_figures_beside_it():
    tags = Tags(page())
    assert [given["src"] for tag, given in tags.found if tag == "img"] == [
        "figures/a%20b.png",
        "animation/run.gif",
    ]
    assert [given["href"] for tag, given in tags.found if tag == "a"][-1] == "predictions.csv"
    assert re.findall(r"(?:https?:)?//", page()) == []
    assert not [tag for tag, _ in tags.found if tag == "link"]


def test_the_first_text_stands_before_the_figures_and_the_parameters_are_folded():
    text = page()
    order = [
        text.index(each)
        for each in ("The network loses", "<details>", "Figures</h2>", "Second", "Files</h2>")
    ]
    assert order == sorted(order)
    assert (
        text.index("<summary>Parameters</summary>")
        < text.index("<code>seed</code>")
        < text.index("</details>")
    )


def test_without_figures_and_files_there_are_no_empty_headings():
    text = page(figures=[], others=[])
    assert "Figures" not in text
    assert "Files" not in text


def test_names_of_columns_and_classes_come_through_unharmed():
    names = ("$$", "<b>", "_x_", "`y`", "a|b", "*")
    spec = DataSpec(
        task="multiclass",
        n_inputs=1,
        n_outputs=6,
        feature_names=("x",),
        blocks=(ColumnBlock(name="[z](u)", kind="real", start=0, stop=1),),
        target_names=("a_b*c*",),
        class_names=names,
    )
    card = make_model_card(spec, {}, {})
    text = Tags(render_html_report("t", {}, [card], [])).text
    assert ", ".join(names) in text
    assert "a_b*c*" in text
    assert "[z](u) (real)" in text
    assert "| a_b" in card  # an underscore inside a word stays as it is


def test_of_a_long_table_the_first_rows_stand_before_the_figures_and_the_others_open_by_a_click():
    names = [f"metric_{k}" for k in range(30)]
    text = "# Card\n\n| metric | value |\n| --- | --- |\n" + "".join(f"| {name} | 1 |\n" for name in names)
    page = render_html_report("Autoencoder", {}, [text], ["figures/samples.png"])
    shown, folded = page[: page.index("<h2>Figures")].split(
        '<details class="rows"><summary>18 more rows</summary>'
    )
    found = Tags(page).text
    assert [name for name in names if f"<td>{name}</td>" in shown] == names[:12]
    assert [name for name in names if f"<td>{name}</td>" in folded] == names[12:]
    assert all(found.count(f"{name}\n") == 1 for name in names)
    short = render_html_report("Autoencoder", {}, ["\n".join(text.splitlines()[:24])], [])
    assert "more rows" not in short
