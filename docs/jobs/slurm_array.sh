#!/bin/bash
# Ten seeds of one problem as an array of SLURM's: `sbatch docs/jobs/slurm_array.sh`, from the project's folder.
# A task is a whole run. Each has a problem's name of its own, by which its outputs lie apart and its experiment in MLflow.
#SBATCH --job-name=layerwise
#SBATCH --array=0-9
#SBATCH --cpus-per-task=2
#SBATCH --mem=4G
#SBATCH --output=slurm-%A_%a.out
# SIGTERM two minutes before the end: the run is KILLED in MLflow, and goes on when the job is put back.
#SBATCH --signal=B:TERM@120
#SBATCH --requeue
set -euo pipefail
export OMP_NUM_THREADS="${SLURM_CPUS_PER_TASK:-1}"
seed="$SLURM_ARRAY_TASK_ID"
params="seed=$seed,problem.name=${PROBLEM:-churn}_seed_$seed"
if [ "${SLURM_RESTART_COUNT:-0}" -gt 0 ]; then params="$params,resume=true"; fi
# exec: the signal reaches the run, and not this script alone.
exec .venv/bin/kedro run --pipelines="${PIPELINE:-mlp}" --env="${PROBLEM:-churn}" --params="$params"
