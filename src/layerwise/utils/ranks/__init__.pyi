from .group import (
    add_up_gradients as add_up_gradients,
    agree as agree,
    all_reduce as all_reduce,
    batch_mean as batch_mean,
    draw_rows as draw_rows,
    from_rank_0 as from_rank_0,
    gather_rows as gather_rows,
    gradient_weight as gradient_weight,
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
