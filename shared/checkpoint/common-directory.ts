/** The deepest directory that holds all `paths` (absolute file paths). */
export declare function commonDirectory(paths: readonly string[]): string;
