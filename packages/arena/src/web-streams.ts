/**
 * The compression of browsers and Node (Compression Streams standard) as a plain generator. Only the few types needed are
 * declared, because the package is compiled without those of any platform.
 */

type Bytes = Uint8Array<ArrayBuffer>;

interface ByteTransform {
  readonly readable: {
    getReader(): { read(): Promise<{ done: boolean; value?: Bytes }>; cancel(reason?: unknown): Promise<void> };
  };
  readonly writable: {
    getWriter(): { write(chunk: Bytes): Promise<void>; close(): Promise<void>; abort(reason?: unknown): Promise<void> };
  };
}

type TransformClass = new (format: 'gzip') => ByteTransform;

interface Platform {
  readonly CompressionStream: TransformClass;
  readonly DecompressionStream: TransformClass;
}

/** The chunks, compressed with gzip (which ends with a CRC-32 and the length). */
export function gzip(chunks: Iterable<Bytes>): AsyncGenerator<Bytes, void, undefined> {
  return transform(chunks, new (globalThis as unknown as Platform).CompressionStream('gzip'));
}

/** The chunks, decompressed. Errors: the platform's, for data that is damaged, cut off or too long. */
export function gunzip(chunks: Iterable<Bytes>): AsyncGenerator<Bytes, void, undefined> {
  return transform(chunks, new (globalThis as unknown as Platform).DecompressionStream('gzip'));
}

async function* transform(chunks: Iterable<Bytes>, stream: ByteTransform): AsyncGenerator<Bytes, void, undefined> {
  const reader = stream.readable.getReader();
  const writer = stream.writable.getWriter();
  const feed = async (): Promise<void> => {
    for (const chunk of chunks) await writer.write(chunk);
    await writer.close();
  };
  const fed = feed();
  const ignore = (): void => {};
  fed.catch(ignore);
  let complete = false;
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      if (next.value !== undefined) yield next.value;
    }
    await fed;
    complete = true;
  } finally {
    if (!complete) {
      reader.cancel().catch(ignore);
      writer.abort().catch(ignore);
    }
  }
}
