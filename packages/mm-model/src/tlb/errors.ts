/** A TLB that cannot be built: what is wrong, and what would be right. */
export class TlbSpecError extends Error {
  override readonly name = 'TlbSpecError';
}
