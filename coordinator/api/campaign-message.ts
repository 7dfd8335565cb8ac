import type * as proto from '../../gen/fleet/v1/campaign.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { failureToMessage } from '../../shared/fleet/unit-message.ts';
import type { CampaignState, ConceptState, PlanSummary, WorkerStatus } from './campaign-service.ts';

export function planToMessage(plan: PlanSummary): proto.PlanResponse {
  return { ...plan, leftOut: plan.leftOut.map((worker) => ({ ...worker })), warnings: [...plan.warnings] };
}

export function stateToMessage(state: CampaignState): proto.CampaignEvent {
  const { workers, concepts, failure, waiting, leftOut } = state;
  return {
    ...state,
    // NATS tells fractions of a millisecond.
    submittedAt: Math.floor(state.submittedAt),
    changedAt: Math.floor(state.changedAt),
    units: { ...state.units },
    workers: workers.map((worker) => ({ ...worker })),
    concepts: concepts.map(conceptToMessage),
    failure: failure === undefined ? undefined : failureToMessage(failure),
    waiting: waiting === undefined ? undefined : failureToMessage(waiting),
    leftOut: leftOut.map((worker) => ({ ...worker })),
  };
}

export function workerToMessage(worker: WorkerStatus): proto.WorkerStatus {
  return { ...worker, checkpoints: [...worker.checkpoints] };
}

function conceptToMessage(state: ConceptState): proto.ConceptState {
  const { concept } = state;
  switch (state.kind) {
    case 'remaining':
      return { concept, state: { $case: 'remaining', value: state.units } };
    case 'mask':
      return { concept, state: { $case: 'mask', value: state.hash } };
    case 'failed': {
      const { failure } = state;
      return {
        concept,
        state: { $case: 'failure', value: failure instanceof LetheError ? failureToMessage(failure) : { ...failure } },
      };
    }
  }
}
