import { dirname, join, resolve } from 'node:path';
import type { Campaign } from '../../coordinator/plan/campaign.ts';
import { emojiSdDirectory } from '../default-checkpoint.ts';

/**
 * Path of the classifier that looks at a campaign's images: as the campaign names it, from its own folder; else the one
 * beside the checkpoint.
 *
 * @param file path of the campaign
 */
export function classifierPath({ checkpoint, verify }: Campaign, file: string): string {
  return verify?.classifier === undefined
    ? join(checkpoint ?? emojiSdDirectory, 'classifier', 'classifier.json')
    : resolve(dirname(file), verify.classifier);
}
