/** Import directions of docs/design.md: proto/gen <- shared <- worker | coordinator <- cli; integration may import everything. */
const only = (name, from, allowed, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from },
  to: { path: '^(gen|shared|worker|coordinator|cli|integration|dashboard)/', pathNot: allowed },
});

/** Order inside shared/: a folder imports only those before it. */
const layers = ['error', 'tensor', 'checkpoint', 'model', 'method'];

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-orphans', severity: 'error', from: { orphan: true, pathNot: '\\.(spec|d)\\.ts$' }, to: {} },
    {
      name: 'no-dev-dependency-in-product',
      severity: 'error',
      from: { path: '^(shared|worker|coordinator|cli)/', pathNot: '\\.spec(-support)?\\.ts$' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
    only('shared-stands-alone', '^shared/', '^(gen|shared)/', 'the core both sides stand on'),
    only('worker-is-a-side', '^worker/', '^(gen|shared|worker)/', 'worker never imports coordinator or cli'),
    only(
      'coordinator-is-a-side',
      '^coordinator/',
      '^(gen|shared|coordinator)/',
      'coordinator never imports worker or cli',
    ),
    only('cli-on-top', '^cli/', '^(gen|shared|worker|coordinator|cli)/', 'only integration imports cli'),
    ...layers.map((layer, i) => ({
      name: `shared-order-${layer}`,
      severity: 'error',
      from: { path: `^shared/${layer}/` },
      to: { path: `^shared/(${[...layers.slice(i + 1), 'statistics', 'mask'].join('|')})/` },
    })),
    {
      name: 'one-importer-of-onnxruntime',
      comment: 'the native runtime stays behind worker/session/ (and the bench that measures it)',
      severity: 'error',
      from: { pathNot: '^(worker/session/|integration/bench/)' },
      to: { path: 'node_modules/onnxruntime-' },
    },
    {
      name: 'no-network-in-shared-but-bus-and-metrics',
      comment: 'docs/decision/009: serve-metrics.ts listens for whoever scrapes; everything else of shared/ computes',
      severity: 'error',
      from: { path: '^shared/', pathNot: '^shared/(bus/|metrics/serve-metrics\\.)|\\.spec(-support)?\\.ts$' },
      to: { path: '^(node:)?(http|https|http2|net|tls|dgram|dns)(/|$)|node_modules/@grpc/' },
    },
    {
      name: 'one-importer-of-nats',
      severity: 'error',
      from: { pathNot: '^shared/bus/' },
      to: { path: 'node_modules/nats/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
