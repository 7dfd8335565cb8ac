/** The version of Lethe that this is; package.json's. */
export const releaseVersion = '0.1.0';
