/** Putting a case's state back: one copy of bytes. */

/**
 * Remembers the bytes of a buffer as they are now (the first `usedBytes` of it) and gives a function that puts them back:
 * the `reset` of a case whose state is all in one arena. The more is used, the longer every schedule takes.
 */
export function resetTo(buffer: ArrayBufferLike, usedBytes: number = buffer.byteLength): () => void {
  const bytes = new Uint8Array(buffer, 0, usedBytes);
  const start = bytes.slice();
  return () => {
    bytes.set(start);
  };
}
