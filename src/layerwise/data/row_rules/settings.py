"""What `problem.rules` may say of a table's rows."""

from __future__ import annotations

from pydantic import field_validator

from layerwise.utils import Config, setting


class RuleSettings(Config):
    """Rules between the columns that every row keeps: training rows have to, and rows that are drawn do."""

    find: bool = setting(
        True,
        "look for rules that all training rows keep, and that chance does not explain: one column at most another, and "
        "pairs of categories of which many never meet; rows that are drawn keep them too",
        "false where a rule of the training rows is none of other rows",
        "images, ratings, documents",
    )
    at_most: tuple[tuple[str, str], ...] = setting(
        (),
        "pairs of columns, numbers or dates, of which the first is at most the second: [[start, end]]",
        "what is true of every row, however few break it in training",
        "images, ratings, documents",
    )
    unique: tuple[str, ...] = setting(
        (), "columns of which no two rows have the same value", "keys", "images, ratings, documents"
    )
    combinations: tuple[tuple[str, ...], ...] = setting(
        (),
        "groups of columns whose values stand together as in some training row: [[city, country]]",
        "columns of which one follows from another",
        "images, ratings, documents",
    )

    @field_validator("combinations")
    @classmethod
    def _several_columns(cls, groups: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
        for group in groups:
            if len(set(group)) < 2:
                raise ValueError(f"combinations are of two columns or more, and {list(group)} is one")
        return groups

    @field_validator("at_most")
    @classmethod
    def _two_columns(cls, pairs: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        above: dict[str, set[str]] = {}
        for low, high in pairs:
            above.setdefault(low, set()).add(high)
        for start in above:
            reached, left = set[str](), [start]
            while left:
                for name in above.get(left.pop(), ()):
                    if name == start:
                        raise ValueError(f"at_most goes round in a circle at '{start}'")
                    if name not in reached:
                        reached.add(name)
                        left.append(name)
        return pairs

    @property
    def named(self) -> tuple[str, ...]:
        """The columns that stated rules name."""
        groups = (*self.at_most, self.unique, *self.combinations)
        return tuple(dict.fromkeys(name for group in groups for name in group))
