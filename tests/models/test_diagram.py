import pytest

from layerwise.models import mermaid


def test_a_network_is_drawn_with_a_box_a_layer_and_an_arrow_a_matrix():
    assert mermaid([784, 500, 10], ["sigmoid", "softmax"]) == (
        "graph LR\n"
        '    layer0["inputs<br/>784 units"]\n'
        '    layer1["hidden 1<br/>500 units<br/>sigmoid"]\n'
        '    layer2["outputs<br/>10 units<br/>softmax"]\n'
        '    layer0 -->|"784 × 500"| layer1\n'
        '    layer1 -->|"500 × 10"| layer2\n'
    )


def test_the_top_of_a_belief_network_has_no_direction():
    diagram = mermaid([4, 3, 2], ["sigmoid"] * 2, ["pixels", "first", "top"], undirected=1)
    assert 'layer0 -->|"4 × 3"| layer1' in diagram
    assert 'layer1 ---|"3 × 2"| layer2' in diagram


def test_a_quotation_mark_does_not_end_a_label():
    assert '"a #quot;b#quot;' in mermaid([1, 1], ["linear"], ['a "b"', "c"])


@pytest.mark.parametrize(
    ("sizes", "activations", "names", "message"),
    [([4], [], (), "at least"), ([4, 2], [], (), "activations"), ([4, 2], ["relu"], ["a"], "1 names")],
)
def test_lists_that_do_not_fit_are_named(sizes, activations, names, message):
    with pytest.raises(ValueError, match=message):
        mermaid(sizes, activations, names)
