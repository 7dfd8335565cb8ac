import { emojiSdDirectory } from '../../cli/default-checkpoint.ts';
import { openCheckpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import { clipText } from '../../shared/model/family/clip/clip-text.ts';
import { parseClipTextConfig } from '../../shared/model/family/clip/config.ts';
import { parseUNetConfig } from '../../shared/model/family/unet/config.ts';
import { parseVaeConfig } from '../../shared/model/family/vae/config.ts';
import { vaeDecoder } from '../../shared/model/family/vae/decoder.ts';
import { type Graph, graphOf } from '../../shared/model/graph/graph.ts';
import { Module, ParameterSource } from '../../shared/model/module.ts';
import { SessionThread } from '../../worker/session/session-thread.ts';
import type { Bench } from './bench.ts';
import { guidedGraph } from './guided-call.ts';
import { ownMemory } from './memory.ts';
import { guidedGraphOf, readWeights, sd15Config } from './synthetic-unet.ts';

/** `load-probe emoji-sd | load-probe FILE`: seconds and memory of a process that loads models and nothing else. */
export const loadProbe: Bench = {
  about: 'time and memory of loading models in a process of its own',
  async run([what = 'emoji-sd']) {
    const before = ownMemory();
    const start = performance.now();
    const graphs = what === 'emoji-sd' ? await emojiSdGraphs() : [await syntheticGraph(what)];
    const built = performance.now();
    const thread = new SessionThread();
    for (const graph of graphs) await thread.open(graph, { provider: 'cpu', threads: 1 });
    const loaded = performance.now();
    const after = ownMemory();
    await thread.close();
    const json = {
      buildSeconds: (built - start) / 1000,
      loadSeconds: (loaded - built) / 1000,
      peakResident: after.peakResident,
      startResident: before.peakResident,
      javascript: after.javascript,
      residentAfter: process.memoryUsage.rss(),
    };
    return { text: '', json, faults: [] };
  },
};

/** The three models of an image. */
async function emojiSdGraphs(): Promise<readonly Graph[]> {
  const checkpoint = await openCheckpoint(emojiSdDirectory);
  const root = (component: 'textEncoder' | 'vae'): Module =>
    new Module(new ParameterSource(checkpoint[component].weights));
  const text = parseClipTextConfig(checkpoint.textEncoder);
  const [height, width] = parseUNetConfig(checkpoint.unet).sampleSize;
  const vae = parseVaeConfig(checkpoint.vae);
  return [
    graphOf('text_encoder', [clipText(root('textEncoder'), text, text.positions)]),
    guidedGraph(checkpoint),
    graphOf('vae_decoder', [vaeDecoder(root('vae'), vae, height, width)]),
  ];
}

async function syntheticGraph(path: string): Promise<Graph> {
  return guidedGraphOf(new ParameterSource(await readWeights(path)), sd15Config);
}
