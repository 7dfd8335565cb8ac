/**
 * Bits an element takes, for every dtype of the safetensors format (`Dtype` in safetensors/src/tensor.rs, 0.8).
 * All are known here so that spans can be checked; which of them a model may use is for the model to say.
 */
export const bitsOf = {
  BOOL: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  C64: 64,
  F64: 64,
  I64: 64,
  U64: 64,
} as const;

/** How the elements of a stored tensor are coded. */
export type TensorDtype = keyof typeof bitsOf;

/** Whether `name` is a dtype of the format. */
export function isTensorDtype(name: string): name is TensorDtype {
  return Object.hasOwn(bitsOf, name);
}
