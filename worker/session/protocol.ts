import type { Input, Parameter } from '../../shared/model/graph/value.ts';
import type { FloatTensor } from '../../shared/tensor/float-tensor.ts';
import type { Provider, ProviderSupport } from './provider.ts';

/** How a session runs. */
export interface SessionSettings {
  readonly provider: Provider;
  /** Threads inside one operator. With 1 a result's bits do not depend on how many cores there are. */
  readonly threads: number;
}

/** A tensor that goes to the session thread. */
export type HostTensor =
  | { readonly type: 'float32'; readonly shape: readonly number[]; readonly data: Float32Array }
  | { readonly type: 'int32'; readonly shape: readonly number[]; readonly data: Int32Array };

/** An output as the model declares it. */
export interface OutputInfo {
  readonly name: string;
  /** Of its elements, in the runtime's words, such as `float32`; `no tensor` for a sequence or a map. */
  readonly type: string;
}

/** To the session thread. `id` pairs a request with its reply. */
export type Request =
  | { readonly kind: 'support'; readonly id: number }
  | {
      readonly kind: 'open';
      readonly id: number;
      readonly model: Uint8Array;
      /** Folder that external weights are resolved against. */
      readonly weightsDirectory: string;
      /** Those that the model was encoded without. */
      readonly pruned: readonly Parameter[];
      /** Inputs that the session feeds itself. */
      readonly switched: readonly Input[];
      readonly settings: SessionSettings;
    }
  | { readonly kind: 'open-file'; readonly id: number; readonly path: string; readonly settings: SessionSettings }
  | {
      readonly kind: 'run';
      readonly id: number;
      readonly session: number;
      readonly feeds: Readonly<Record<string, HostTensor>>;
      /** Which set of its switched weights is pruned; absent where it has none. */
      readonly set?: number | undefined;
      /** Those that are wanted; all, if absent. What nobody asks for is neither computed nor checked. */
      readonly outputs?: readonly string[] | undefined;
    }
  | { readonly kind: 'dispose'; readonly id: number; readonly session: number }
  /** The last one: what is queued before it is dropped, and the thread ends. */
  | { readonly kind: 'close' };

/** From the session thread. `failure` carries the runtime's own words. */
export type Reply =
  | { readonly kind: 'supported'; readonly id: number; readonly providers: readonly ProviderSupport[] }
  | {
      readonly kind: 'opened';
      readonly id: number;
      readonly session: number;
      /** Names as the model has them. */
      readonly inputs: readonly string[];
      readonly outputs: readonly OutputInfo[];
    }
  | { readonly kind: 'ran'; readonly id: number; readonly outputs: Readonly<Record<string, FloatTensor>> }
  | { readonly kind: 'disposed'; readonly id: number }
  | { readonly kind: 'failed'; readonly id: number; readonly failure: string };
