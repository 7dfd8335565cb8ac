/** What a worker is at. `tasks` are those it has not finished, `kept` the results nobody has told it to forget. */
export type WorkerState =
  /** No coordinator hears it: it tries again. Tasks go on meanwhile. */
  | { readonly kind: 'connecting'; readonly tasks: number; readonly kept: number }
  /** Registered, and waiting for work. */
  | { readonly kind: 'ready'; readonly coordinator: string; readonly kept: number }
  /** Registered, and at work. */
  | { readonly kind: 'running'; readonly coordinator: string; readonly tasks: number; readonly kept: number }
  /** Takes no more leases, and stops when it has neither tasks nor results, or its grace period is over. */
  | {
      readonly kind: 'draining';
      readonly reason: string;
      readonly coordinator: string | undefined;
      readonly tasks: number;
      readonly kept: number;
    }
  /** Over. The process ends. */
  | { readonly kind: 'stopped'; readonly reason: string };

/** What changes it. */
export type WorkerChange =
  | { readonly kind: 'connected'; readonly coordinator: string }
  | { readonly kind: 'disconnected' }
  | { readonly kind: 'work'; readonly tasks: number; readonly kept: number }
  | { readonly kind: 'drain'; readonly reason: string }
  | { readonly kind: 'stop'; readonly reason: string };

export const initialState: WorkerState = { kind: 'connecting', tasks: 0, kept: 0 };

/** The state after a change; the same value if nothing changes. A worker that is over stays so. */
export function nextState(state: WorkerState, change: WorkerChange): WorkerState {
  if (state.kind === 'stopped') return state;
  const coordinator = state.kind === 'connecting' ? undefined : state.coordinator;
  const tasks = state.kind === 'ready' ? 0 : state.tasks;
  const { kept } = state;
  const working = (heard: string | undefined, open: number, held: number): WorkerState => {
    if (state.kind === 'draining') {
      // Nothing left to do, and nothing left to give.
      if (open === 0 && held === 0) return { kind: 'stopped', reason: state.reason };
      return { kind: 'draining', reason: state.reason, coordinator: heard, tasks: open, kept: held };
    }
    if (heard === undefined) return { kind: 'connecting', tasks: open, kept: held };
    if (open === 0) return { kind: 'ready', coordinator: heard, kept: held };
    return { kind: 'running', coordinator: heard, tasks: open, kept: held };
  };
  switch (change.kind) {
    case 'connected':
      return working(change.coordinator, tasks, kept);
    case 'disconnected':
      return working(undefined, tasks, kept);
    case 'work':
      return working(coordinator, change.tasks, change.kept);
    case 'drain':
      if (state.kind === 'draining') return state;
      if (tasks === 0 && kept === 0) return { kind: 'stopped', reason: change.reason };
      return { kind: 'draining', reason: change.reason, coordinator, tasks, kept };
    case 'stop':
      return { kind: 'stopped', reason: change.reason };
  }
}
