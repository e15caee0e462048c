import { basename, join, resolve } from 'node:path';
import { EXIT } from '@onco-response/command-line/node';
import { stringify } from 'yaml';
import { writeOutput } from './write-output.js';

export interface JobOptions {
  out: string;
  trials: number;
  /** Cores of one trial; also its CPU threads, so that results do not depend on the node. */
  threads: number;
  gpu: boolean;
  /** The program that runs a trial: node and the path of `cli.js`. */
  command: readonly string[];
}

/** Seconds that Slurm gives a trial to save its state before it is stopped. */
const GRACE_SECONDS = 120;

/** Writes `job.slurm` and `job.kubernetes.yaml`; both run the rows of the same `manifest.jsonl`. */
export async function writeJobFiles(options: JobOptions): Promise<void> {
  await writeOutput(join(options.out, 'job.slurm'), slurmJob(options));
  await writeOutput(join(options.out, 'job.kubernetes.yaml'), kubernetesJob(options));
}

/**
 * A Slurm array job. `B:USR1` reaches the batch shell only: it asks the trial to save its state (SIGTERM) and waits for
 * it. Exit code 75 puts the trial back into the queue, 42 leaves it failed; a node that dies requeues it too.
 */
function slurmJob({ out, trials, threads, gpu, command }: JobOptions): string {
  const folder = resolve(out);
  return `#!/bin/bash
#SBATCH --job-name=onco-train
#SBATCH --array=0-${trials - 1}
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=B:USR1@${GRACE_SECONDS}
#SBATCH --cpus-per-task=${threads}
${gpu ? '#SBATCH --gres=gpu:1\n' : ''}#SBATCH --output=${folder}/slurm-%a.log
# Add what your cluster needs: --partition, --account, --time (a trial that runs out of time is requeued), --mem.
# Trials side by side: sbatch --array=0-${trials - 1}%8 job.slurm

${command.map(quote).join(' ')} trial --out ${quote(folder)} --threads ${threads} &
trial=$!
trap 'kill -TERM "$trial" 2>/dev/null' USR1 TERM
wait "$trial"
status=$?
# wait returns early when a signal arrives; the trial is still saving its state then
while kill -0 "$trial" 2>/dev/null; do
  wait "$trial"
  status=$?
done
if [ "$status" -eq ${EXIT.interrupted} ]; then
  scontrol requeue "\${SLURM_ARRAY_JOB_ID}_\${SLURM_ARRAY_TASK_ID}"
fi
exit "$status"
`;
}

/** An Indexed Job: each index is tried again on its own, except where the trial says that its input is wrong. */
function kubernetesJob({ out, trials, threads, gpu }: JobOptions): string {
  const folder = resolve(out);
  const limits = { cpu: String(threads), ...(gpu && { 'nvidia.com/gpu': '1' }) };
  return `# Set the image, and a volume claim that holds the study, its cohort and the encoder under the same paths as where it was planned.
${stringify({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: jobName(folder) },
  spec: {
    completionMode: 'Indexed',
    completions: trials,
    parallelism: Math.min(trials, 8),
    backoffLimitPerIndex: 3,
    maxFailedIndexes: trials,
    podFailurePolicy: {
      rules: [
        {
          action: 'FailIndex',
          onExitCodes: { containerName: 'trial', operator: 'In', values: [EXIT.permanent] },
        },
        { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget' }] },
      ],
    },
    template: {
      spec: {
        restartPolicy: 'Never',
        terminationGracePeriodSeconds: GRACE_SECONDS,
        containers: [
          {
            name: 'trial',
            image: 'onco-train',
            args: ['trial', '--out', folder, '--threads', String(threads)],
            env: [{ name: 'ONCO_RESPONSE_CACHE', value: join(folder, '.cache') }],
            resources: { requests: { cpu: String(threads) }, limits },
            volumeMounts: [{ name: 'study', mountPath: folder }],
          },
        ],
        volumes: [{ name: 'study', persistentVolumeClaim: { claimName: 'onco-response' } }],
      },
    },
  },
})}`;
}

const quote = (text: string) => (/^[\w./=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

/** A DNS label, as Kubernetes wants it. */
function jobName(folder: string): string {
  const words = basename(folder)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-');
  return `onco-train-${words}`.slice(0, 50).replace(/-+$/, '');
}
