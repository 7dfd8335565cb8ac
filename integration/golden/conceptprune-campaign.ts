import { LetheError } from '../../shared/error/lethe-error.ts';
import { schedulerClasses, schedulerNames } from '../../shared/model/scheduler-name.ts';
import type { GoldenPair } from './conceptprune-pair.ts';

/** The campaign that asks for what the reference was asked for: one concept, one site. JSON is YAML. */
export function campaignOf(pair: GoldenPair, checkpoint: string): string {
  const { name, site, base, target, seeds, tau, steps, guidance, settings } = pair;
  const scheduler = schedulerNames.find((each) => schedulerClasses[each] === pair.scheduler);
  if (scheduler === undefined) {
    throw new LetheError('golden-invalid', {
      what: 'cannot check the golden vectors',
      where: `${name}.json`,
      why: `its scheduler is ${pair.scheduler}`,
      next: `supported: ${Object.values(schedulerClasses).join(', ')}`,
    });
  }
  // conceptprune-*.json has them as numbers, which JSON holds exactly.
  const numbers = seeds.map(Number);
  const [seed = 0] = numbers;
  // Only a gender concept has a seed for every pair; the arithmetic is the same for all kinds.
  const kind = numbers.every((each) => each === seed) ? { kind: 'object' } : { kind: 'gender', seeds: numbers };
  return JSON.stringify({
    name,
    checkpoint,
    sampling: { scheduler, steps, guidance },
    tau,
    ...('seeds' in kind ? {} : { seed }),
    mask: {
      select_ratio: settings.selectRatio,
      sites: { [site]: { skill_ratio: settings.skillRatio, selection: settings.selection } },
    },
    concepts: [{ name, ...kind, base, target }],
  });
}
