import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { FinishedTask } from '../../shared/fleet/task.ts';
import { durationBuckets } from '../../shared/metrics/duration-buckets.ts';
import type { WorkerState } from './worker-state.ts';

/** What a worker counts. Labels have few values: no unit, prompt or neuron is one. */
export interface WorkerMetrics {
  state(kind: WorkerState['kind']): void;
  finished(finished: FinishedTask): void;
  failed(code: string): void;
  handedBack(): void;
  lost(): void;
}

const states: readonly WorkerState['kind'][] = ['connecting', 'ready', 'running', 'draining', 'stopped'];

/** Metrics in a registry, with the names that dashboards and alert rules use. */
export function workerMetrics(registry: Registry): WorkerMetrics {
  const registers = [registry];
  const state = new Gauge({
    name: 'lethe_worker_state',
    help: '1 for the state the worker is in, 0 for the others',
    labelNames: ['state'],
    registers,
  });
  const seconds = new Histogram({
    name: 'lethe_unit_seconds',
    help: 'Time units spent in each phase; steps are those of a whole window',
    labelNames: ['phase'],
    buckets: [...durationBuckets],
    registers,
  });
  const units = new Counter({
    name: 'lethe_units_total',
    help: 'Units that ended on this worker, by how: finished, handed-back, or the code of the failure',
    labelNames: ['result'],
    registers,
  });
  const calls = new Counter({
    name: 'lethe_unet_calls_total',
    help: 'UNet calls times the trajectories in each',
    registers,
  });
  const prompts = new Counter({
    name: 'lethe_prompts_encoded_total',
    help: 'Prompts that went through the text encoder',
    registers,
  });
  const bytes = new Counter({ name: 'lethe_result_bytes_total', help: 'Bytes of results', registers });
  const lost = new Counter({
    name: 'lethe_coordinator_lost_total',
    help: 'Streams to a coordinator that ended or could not be opened',
    registers,
  });
  return {
    state(kind) {
      for (const each of states) state.set({ state: each }, each === kind ? 1 : 0);
    },
    finished(finished) {
      units.inc({ result: 'finished' });
      for (const [phase, ms] of Object.entries(finished.timings) as [string, number][])
        seconds.observe({ phase }, ms / 1000);
      calls.inc(finished.calls.unetCalls);
      prompts.inc(finished.calls.prompts);
      bytes.inc(finished.blobs.reduce((sum, { length }) => sum + length, 0));
    },
    failed(code) {
      units.inc({ result: code });
    },
    handedBack() {
      units.inc({ result: 'handed-back' });
    },
    lost() {
      lost.inc();
    },
  };
}
