import type { Command } from 'commander';

/** A command of `lethe`: what the list of commands says of it, and its module, which is loaded when it is run. */
export interface CommandEntry {
  readonly name: string;
  readonly description: string;
  readonly load: () => Promise<Command>;
}

/** Every command, in the order of the list. None is loaded to print that list. */
export const commands: readonly CommandEntry[] = [
  {
    name: 'up',
    description: 'Runs a fleet on this machine: NATS, a coordinator and workers, until Ctrl-C.',
    load: async () => (await import('./up.ts')).upCommand(),
  },
  {
    name: 'down',
    description: 'Ends the fleet of this machine in order, and waits until nothing of it runs.',
    load: async () => (await import('./down.ts')).downCommand(),
  },
  {
    name: 'logs',
    description: 'Shows what the processes of the fleet on this machine have said.',
    load: async () => (await import('./logs.ts')).logsCommand(),
  },
  {
    name: 'sweep',
    description: 'Runs a campaign: finds the weights that carry its concepts, and makes their masks.',
    load: async () => (await import('./sweep.ts')).sweepCommand(),
  },
  {
    name: 'tune',
    description: "Finds the smallest masks that meet a campaign's thresholds on validation images.",
    load: async () => (await import('./tune.ts')).tuneCommand(),
  },
  {
    name: 'verify',
    description:
      'Measures what masks have erased and what they have kept, on images from the same noise before and after.',
    load: async () => (await import('./verify.ts')).verifyCommand(),
  },
  {
    name: 'status',
    description: 'Shows every campaign of the fleet, the newest first: how far it is, and how fast.',
    load: async () => (await import('./status.ts')).statusCommand(),
  },
  {
    name: 'wait',
    description: 'Waits until a campaign is over, and shows how far it is.',
    load: async () => (await import('./wait.ts')).waitCommand(),
  },
  {
    name: 'workers',
    description: 'Lists the workers that are connected: where, what they can run, and how fast.',
    load: async () => (await import('./workers.ts')).workersCommand(),
  },
  {
    name: 'masks',
    description: 'Lists the masks that campaigns have made; without a fleet, those that were fetched.',
    load: async () => (await import('./masks.ts')).masksCommand(),
  },
  {
    name: 'show',
    description: 'Shows a mask: what it was made from, and how much of each layer it prunes.',
    load: async () => (await import('./show.ts')).showCommand(),
  },
  {
    name: 'diff',
    description: 'Compares two masks: what both prune, and what only one does, a layer at a time.',
    load: async () => (await import('./diff.ts')).diffCommand(),
  },
  {
    name: 'active',
    description: 'Shows which masks are active, since when, what verified them, and which processes serve them.',
    load: async () => (await import('./active.ts')).activeCommand(),
  },
  {
    name: 'apply',
    description: 'Makes masks active beside those that are, and waits until every serving process has them.',
    load: async () => (await import('./apply.ts')).applyCommand(),
  },
  {
    name: 'restore',
    description: 'Takes the masks of concepts back, exactly, and waits until every serving process has done so.',
    load: async () => (await import('./restore.ts')).restoreCommand(),
  },
  {
    name: 'rollback',
    description: 'Makes active exactly what was active in an earlier version, under a new one.',
    load: async () => (await import('./rollback.ts')).rollbackCommand(),
  },
  {
    name: 'history',
    description: 'Lists the versions of what was active: when, by whom, what changed and why.',
    load: async () => (await import('./history.ts')).historyCommand(),
  },
  {
    name: 'audit',
    description: 'Prints the audit log of the active masks, and checks it: who, why, which verification, in one chain.',
    load: async () => (await import('./audit.ts')).auditCommand(),
  },
  {
    name: 'keys',
    description: 'Makes, lists and rotates the keys that manifests are signed and masks are sealed with.',
    load: async () => (await import('./keys.ts')).keysCommand(),
  },
  {
    name: 'serve',
    description: 'Serves images over HTTP with the active masks, in the shape of the OpenAI images API, until Ctrl-C.',
    load: async () => (await import('./serve.ts')).serveCommand(),
  },
  {
    name: 'generate',
    description: 'Samples images from a Stable Diffusion checkpoint and writes them as PNG.',
    load: async () => (await import('./generate.ts')).generateCommand(),
  },
  {
    name: 'export',
    description: 'Writes pruned weights as a diffusers checkpoint or one file of changed tensors, or the mask itself.',
    load: async () => (await import('./export.ts')).exportCommand(),
  },
  {
    name: 'checkpoint',
    description: 'Looks at checkpoints.',
    load: async () => (await import('./checkpoint-inspect.ts')).checkpointCommand(),
  },
  {
    name: 'doctor',
    description: 'Checks that this machine can run Lethe, and says what to do where it cannot.',
    load: async () => (await import('./doctor.ts')).doctorCommand(),
  },
  {
    name: 'completion',
    description: 'Prints a script that completes commands and options in a shell.',
    load: async () => (await import('./completion.ts')).completionCommand(),
  },
];
