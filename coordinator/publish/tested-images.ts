import { LetheError } from '../../shared/error/lethe-error.ts';
import type { ChangeRecord } from '../../shared/manifest/change-record.ts';
import type { Store } from '../store/store.ts';
import { type TestImages, type Verification, verificationOf } from './verification.ts';

/** How many images the verifications of recorded masks looked at. Each mask is looked up once. */
export class TestedImages {
  readonly #store: Pick<Store, 'verifications'>;
  readonly #found = new Map<string, Promise<Verification | undefined>>();

  constructor(store: Pick<Store, 'verifications'>) {
    this.#store = store;
  }

  /** By hash of the report, as records name it: of the masks whose newest verification is that one and counted them. */
  async of({ masks }: ChangeRecord): Promise<ReadonlyMap<string, TestImages>> {
    const found = await Promise.all(masks.map(({ mask }) => this.#verification(mask)));
    return new Map(found.flatMap((each) => (each?.images === undefined ? [] : [[each.report, each.images]])));
  }

  #verification(mask: string): Promise<Verification | undefined> {
    const asked = this.#found.get(mask) ?? verificationOf(this.#store, mask).catch(passOver);
    this.#found.set(mask, asked);
    return asked;
  }
}

/** What nobody can read keeps no one from seeing the history. */
function passOver(error: unknown): undefined {
  if (error instanceof LetheError && error.code === 'record-invalid') return undefined;
  throw error;
}
