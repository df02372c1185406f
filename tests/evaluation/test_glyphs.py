"""Names of any script in figures: drawn by a font that has them, else told by code or name, and never a warning."""

import warnings

import pytest
from matplotlib.font_manager import findfont, get_font

from layerwise.evaluation import glyphs
from layerwise.evaluation.plots.style import legend, new_figure, style_axes


@pytest.fixture
def fonts(monkeypatch):
    """Takes the names of the fonts that figures may use beside Matplotlib's own."""

    def set_fonts(*names):
        monkeypatch.setattr(glyphs, "FALLBACKS", names)
        for function in (glyphs.font_families, glyphs._is_drawn):
            function.cache_clear()

    yield set_fonts
    monkeypatch.undo()
    set_fonts(*glyphs.FALLBACKS)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("size (m²)", "size (m²)"),
        ("größe", "größe"),
        ("العربية", "العربية"),
        ("中文 x", "[4E2D 6587] x"),
        ("ไทย", "[0E44 0E17 0E22]"),
        ("📱 phone", "[mobile phone] phone"),
        ("👩\u200d🔬", "[woman microscope]"),
        ("🇩🇪", "[d e]"),
    ],
)
def test_letters_that_no_font_has_are_shown_by_code_and_signs_by_name(fonts, text, shown):
    fonts()
    assert glyphs.drawable(text) == shown


def test_a_font_that_is_installed_draws_what_the_own_one_lacks(fonts):
    fonts()
    own, other = (set(get_font(findfont(name)).get_charmap()) for name in ("DejaVu Sans", "DejaVu Sans Mono"))
    (letter, *_) = (chr(code) for code in sorted(other - own) if code > 127)
    assert glyphs.drawable(letter) != letter
    fonts("not installed", "DejaVu Sans Mono")
    assert glyphs.font_families() == ["DejaVu Sans", "DejaVu Sans Mono"]
    assert glyphs.drawable(letter) == letter


def test_a_figure_with_names_of_any_script_is_drawn_without_a_warning(fonts, tmp_path):
    fonts()
    names = ["📱 phone", "中文", "größe", "ไทย"]
    figure = new_figure(7, 4)
    left, right = figure.subplots(1, 2)
    left.barh(range(4), range(4), label="名前")
    left.set_yticks(range(4), names)
    style_axes(left, title="目标", xlabel="家", ylabel="😀")
    right.bar(names, range(4))
    legend(left)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure.savefig(tmp_path / "figure.png")
    assert [each.get_text() for each in left.get_yticklabels()] == [glyphs.drawable(name) for name in names]
    assert left.get_title() == "[76EE 6807]"
