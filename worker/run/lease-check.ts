import type { Capabilities, Lease } from '../../shared/fleet/task.ts';

/** Why a worker cannot run a lease, or undefined if it can: leases are checked here too, whoever sends them. */
export function reasonAgainst(lease: Lease, able: Capabilities): string | undefined {
  const { kind, checkpoint, numerics, graph } = lease.unit;
  if (!able.units.includes(kind)) return `this worker runs no ${kind} units`;
  if (!able.checkpoints.includes(checkpoint)) return `this worker does not hold checkpoint ${checkpoint}`;
  if (numerics !== able.numerics) return `this worker computes in numerics class ${able.numerics}, not ${numerics}`;
  if (graph !== able.graph) return `this worker has graph version ${able.graph}, not ${graph}`;
  if (lease.memory > able.memory) return `it needs ${lease.memory} bytes of memory, and this worker has ${able.memory}`;
  return undefined;
}
