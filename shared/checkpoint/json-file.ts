/** A parsed JSON object whose keys and values nobody has checked yet. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Reads the JSON object in the file at `path`; 'config-invalid' names the file and the position. */
export declare function readJsonFile(path: string): Promise<JsonObject>;
