from .job import Job as Job, SweepError as SweepError, require_optuna as require_optuna
from .launcher import Sweep as Sweep
from .objective import SUPERVISED as SUPERVISED, Objective as Objective
from .space import Space as Space
