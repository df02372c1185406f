from .ais import (
    ais_log_weights as ais_log_weights,
    annealing_schedule as annealing_schedule,
    reverse_ais_log_weights as reverse_ais_log_weights,
    sample_rows as sample_rows,
)
from .dbn import (
    StackLikelihood as StackLikelihood,
    bound_log_probability as bound_log_probability,
    bound_log_probability_of_dbm as bound_log_probability_of_dbm,
    variational_bound as variational_bound,
)
from .finite import LikelihoodError as LikelihoodError, finite as finite
from .iwae import (
    VariationalLikelihood as VariationalLikelihood,
    elbo_terms as elbo_terms,
    importance_weighted_log_prob as importance_weighted_log_prob,
    variational_likelihood as variational_likelihood,
)
from .partition import LogPartition as LogPartition
from .parzen import parzen_log_likelihood as parzen_log_likelihood
from .rbm import (
    LikelihoodSettings as LikelihoodSettings,
    LogProbability as LogProbability,
    RBMLikelihood as RBMLikelihood,
    log_partition as log_partition,
    log_probability as log_probability,
    rbm_likelihood as rbm_likelihood,
)
