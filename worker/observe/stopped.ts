import { LetheError } from '../../shared/error/lethe-error.ts';
import type { Phase, Supervision } from './phase.ts';

/** Enters a phase. @throws LetheError `unit-stopped` if the unit was asked to stop before it. */
export function requireRunning(supervision: Supervision, phase: Phase): void {
  if (!supervision.signal.aborted) {
    supervision.onPhase(phase);
    return;
  }
  const { reason } = supervision.signal as { readonly reason: unknown };
  throw new LetheError('unit-stopped', {
    what: 'the unit was stopped',
    where: phase.kind === 'step' ? `before step ${phase.step}` : `before ${phase.kind}`,
    why: typeof reason === 'string' ? reason : 'it was asked to stop',
    next: 'nothing: whoever stopped it knows',
    cause: reason,
  });
}
