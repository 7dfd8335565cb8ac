/** A mask and the verification that stands behind it, as versions tell of it. */
export interface VerifiedMask {
  /** Hash of the report; empty or absent for none. */
  readonly verification?: string | undefined;
  readonly images?: { readonly target: number; readonly rest: number } | undefined;
}

/** `, verified on 320 + 320 images`: of the target and of the rest. Nothing where none stands behind it or none were counted. */
export function verifiedText({ verification = '', images }: VerifiedMask): string {
  return verification === '' || images === undefined ? '' : `, verified on ${images.target} + ${images.rest} images`;
}
