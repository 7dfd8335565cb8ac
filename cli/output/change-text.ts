import { shortHash } from './figures.ts';
import { type VerifiedMask, verifiedText } from './verified-text.ts';

interface ShownMask extends VerifiedMask {
  readonly concept: string;
  readonly mask: string;
}

/** A change of the active masks, as a record of the audit log or a version of history tells it. */
interface ShownChange {
  readonly action: string;
  readonly target?: number | undefined;
  readonly forced: boolean;
  readonly masks: readonly ShownMask[];
}

/** `apply +Neon (3f2a9c0011aa) -violin, forced`: what became active and what no longer is. */
export function changeText({ action, target, forced, masks }: ShownChange, before: readonly ShownMask[]): string {
  const has = (list: readonly ShownMask[], { concept, mask }: ShownMask): boolean =>
    list.some((each) => each.concept === concept && each.mask === mask);
  const added = masks.filter((each) => !has(before, each));
  const removed = before.filter(({ concept }) => !masks.some((each) => each.concept === concept));
  return [
    target === undefined ? action : `${action} to ${target}`,
    ...added.map((each) => `+${each.concept} (${shortHash(each.mask)}${verifiedText(each)})`),
    ...removed.map(({ concept }) => `-${concept}`),
    ...(forced ? ['(forced)'] : []),
  ].join(' ');
}
