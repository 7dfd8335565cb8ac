import { z } from 'zod';
import { contentHash } from '../../shared/unit/content-hash.ts';
import { unitHash } from '../../shared/unit/unit.ts';
import type { UnitPlan } from '../plan/plan.ts';
import { count, decodeStored, encodeStored, name } from './stored-json.ts';
import { imageUnitSchema } from './unit-schema.ts';

const jobSchema = z.object({
  format: z.literal('lethe-images-1'),
  checkpoint: name,
  numerics: name,
  graph: name,
  units: z
    .array(
      z.object({
        unit: imageUnitSchema.pick({ sampling: true, trajectories: true, mask: true }),
        calls: count,
        memory: z.object({ bytes: z.number().min(0), gib: z.number().min(0) }),
      }),
    )
    .min(1),
});

/** A job of images as it is stored: its units as they were cut when it was asked for, so that every coordinator has the same. */
export function imageJobBytes({ checkpoint, numerics, graph, units }: UnitPlan): Uint8Array {
  return encodeStored({
    format: 'lethe-images-1',
    checkpoint,
    numerics,
    graph,
    units: units.flatMap(({ unit, calls, memory }) => {
      if (unit.kind !== 'image') return [];
      const { sampling, trajectories, mask } = unit;
      return [{ unit: { sampling, trajectories, mask }, calls: calls ?? 0, memory }];
    }),
  });
}

/** The units of a stored job. @throws LetheError `record-invalid` */
export function parseImageJob(bytes: Uint8Array, where: string): UnitPlan {
  const { checkpoint, numerics, graph, units } = decodeStored(jobSchema, bytes, where);
  return {
    checkpoint,
    numerics,
    graph,
    units: units.map(({ unit: { sampling, trajectories, mask }, calls, memory }) => {
      const common = { kind: 'image', checkpoint, numerics, graph, sampling, trajectories } as const;
      const unit = mask === undefined ? common : { ...common, mask };
      return { hash: unitHash(unit), unit, sites: ['image'], members: [], memory, calls };
    }),
  };
}

/** The id of a job: the same units are the same job. The name leads, for people. */
export function imageJobId(title: string, bytes: Uint8Array): string {
  const slug = title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 60);
  return `${slug}-${contentHash('image job 1', Buffer.from(bytes).toString('utf8')).slice(0, 12)}`;
}
