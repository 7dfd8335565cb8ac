import { describe, expect, it } from 'vitest';
import { trajectoryCalls } from '../../coordinator/plan/trajectory-calls.ts';
import { schedulerNames } from '../../shared/model/scheduler-name.ts';
import { parseSchedulerConfig } from '../../shared/diffusion/scheduler/scheduler-config.ts';
import { createScheduler } from '../../shared/diffusion/scheduler/scheduler.ts';

// The coordinator counts calls without a scheduler; the worker has one.
describe('trajectoryCalls', () => {
  const cases = schedulerNames.flatMap((name) =>
    [true, false].flatMap((skips) => [1, 2, 3, 4, 5, 20, 50, 51, 100].map((steps) => ({ name, skips, steps }))),
  );
  it.each(cases)(
    '$name, $steps steps, skip_prk_steps $skips: as many as the worker makes',
    ({ name, skips, steps }) => {
      if (name === 'pndm' && !skips && steps < 4) return;
      const settings = { skip_prk_steps: skips, set_alpha_to_one: false, steps_offset: 1 };
      const config = parseSchedulerConfig(settings, 'scheduler_config.json', 'PNDMScheduler');
      const { timesteps } = createScheduler(name, config, steps);
      expect(trajectoryCalls({ name, skipsRungeKutta: skips }, steps)).toBe(timesteps.length);
    },
  );
});
