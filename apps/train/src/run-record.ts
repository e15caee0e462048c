import { availableParallelism, cpus, totalmem } from 'node:os';
import type { EngineInfo } from '@onco-response/engine';
import type { ResponseModel } from '@onco-response/response-model';
import type { TrainingState } from './checkpoint.js';
import type { MaskSummary } from './mask-summary.js';
import type { Study } from './study.js';

export type RunRecord = ReturnType<typeof runRecord>;

/** What ran, where and how long: everything about a run that is not a result. */
export function runRecord({
  engine,
  identity,
  study,
  studySha256,
  splitsSha256,
  model,
  state,
  encoderPath,
  masks,
}: {
  engine: EngineInfo;
  identity: string;
  study: Study;
  studySha256: string;
  splitsSha256: string;
  model: ResponseModel;
  state: TrainingState;
  encoderPath: string;
  masks: MaskSummary;
}) {
  const provenance = {
    seed: study.seed,
    studySha256,
    splitsSha256,
    encoderSha256: model.vit.weightsSha256,
    backend: engine.backend,
    library: engine.library,
    tfjs: engine.tfjs,
    threads: engine.threads,
    oneDnn: engine.oneDnn,
    device: engine.deviceName ?? engine.device,
    tf32: engine.tf32,
    node: process.version,
    identity,
  };
  return {
    provenance,
    encoder: study.encoder,
    encoderPath,
    masks,
    platform: `${process.platform}-${process.arch}`,
    processor: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGib: Math.round(totalmem() / 2 ** 30),
    finishedAt: new Date().toISOString(),
    trainingSeconds: state.seconds,
    peakMemoryMib: Math.round(process.resourceUsage().maxRSS / 1024),
    history: state.history,
    study,
  };
}
