/** What the keeper tells the launcher of the server. */
export type KeeperReport =
  /** It listens there. */
  | { readonly kind: 'listening'; readonly pid: number; readonly port: number; readonly token: string }
  /** It could not be started. */
  | { readonly kind: 'failed'; readonly why: string }
  | { readonly kind: 'ended'; readonly code: number | null; readonly signal: string | null };
