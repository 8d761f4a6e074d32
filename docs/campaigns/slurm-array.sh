#!/bin/sh
# A check of 64 shards as a job array. Submit it from the built checkout, on a file system that all nodes share:
#   array=$(sbatch --parsable docs/campaigns/slurm-array.sh)
#   sbatch --dependency=afterany:"$array" --wrap 'node dist/oracle/cli/main.js merge --cover rules.html reports/*.json'
#SBATCH --job-name=iommufd-check
#SBATCH --array=1-64
#SBATCH --cpus-per-task=1
#SBATCH --mem=512M
#SBATCH --time=04:00:00

mkdir -p reports
exec node dist/oracle/cli/main.js check --runs 10000000 --seed 7 \
  --shard "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_MAX" \
  --report "reports/$SLURM_ARRAY_TASK_ID.json" \
  --save "reports/$SLURM_ARRAY_TASK_ID.jsonl"
