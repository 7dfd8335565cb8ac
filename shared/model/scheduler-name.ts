/** The diffusion schedulers there are, by the names that flags and campaigns use. */
export type SchedulerName = 'pndm' | 'ddim' | 'euler' | 'euler-ancestral' | 'dpmpp-2m';

/** The diffusers class that each scheduler follows. */
export const schedulerClasses: Readonly<Record<SchedulerName, string>> = {
  pndm: 'PNDMScheduler',
  ddim: 'DDIMScheduler',
  euler: 'EulerDiscreteScheduler',
  'euler-ancestral': 'EulerAncestralDiscreteScheduler',
  'dpmpp-2m': 'DPMSolverMultistepScheduler',
};

/** In the order in which help and messages list them. */
export const schedulerNames: readonly SchedulerName[] = ['pndm', 'ddim', 'euler', 'euler-ancestral', 'dpmpp-2m'];
