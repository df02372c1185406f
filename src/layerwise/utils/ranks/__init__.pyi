from .group import (
    add_up_gradients as add_up_gradients,
    agree as agree,
    all_reduce as all_reduce,
    batch_mean as batch_mean,
    draw_rows as draw_rows,
    from_rank_0 as from_rank_0,
    gather_rows as gather_rows,
    gradient_weight as gradient_weight,
    is_part as is_part,
    joined as joined,
    normal_ as normal_,
    rank as rank,
    shard as shard,
    uniform_ as uniform_,
    whole_batch as whole_batch,
    whole_batches as whole_batches,
    world_size as world_size,
)
from .launch import in_ranks as in_ranks, is_spread as is_spread
from .outer import (
    dismiss_outer_ranks as dismiss_outer_ranks,
    interrupted_run as interrupted_run,
    meet_outer_ranks as meet_outer_ranks,
    work_for_rank_0 as work_for_rank_0,
)
from .torchrun import (
    in_torchrun as in_torchrun,
    local_ranks as local_ranks,
    restarts_over_computers as restarts_over_computers,
    torchrun_rank as torchrun_rank,
    torchrun_size as torchrun_size,
)
