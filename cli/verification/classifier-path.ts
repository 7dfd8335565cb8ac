import { dirname, join, resolve } from 'node:path';
import type { Campaign } from '../../coordinator/plan/campaign.ts';
import { ofSetting } from '../../shared/config/of-setting.ts';
import { type ClassifierFile, readClassifierFile } from '../../worker/classify/classifier-file.ts';
import { requireClassifierModel } from '../../worker/classify/classifier-model.ts';
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

/**
 * What describes that classifier, whose model is there as well.
 *
 * @throws LetheError `config-invalid`, which names the setting.
 */
export function describedClassifier(campaign: Campaign, file: string): Promise<ClassifierFile> {
  return ofSetting(['verify', 'classifier'], async () => {
    const read = await readClassifierFile(classifierPath(campaign, file));
    await requireClassifierModel(read);
    return read;
  });
}
