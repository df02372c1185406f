from .grid import GridSettings as GridSettings, MemberOverrides as MemberOverrides, rank_points as rank_points
from .grid_result import GridResult as GridResult, train_grid as train_grid
from .plan import NetworkStackPlan as NetworkStackPlan
from .state import StackHistory as StackHistory
from .train import train_network_stack as train_network_stack
