from .files import (
    NewProblem as NewProblem,
    propose_problem as propose_problem,
    write_problem as write_problem,
)
from .proposal import Choice as Choice, Proposal as Proposal
