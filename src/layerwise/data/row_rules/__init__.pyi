from .drawing import draw_by_rules as draw_by_rules
from .finding import find_rules as find_rules
from .rules import Combinations as Combinations, RowRules as RowRules
from .settings import RuleSettings as RuleSettings
