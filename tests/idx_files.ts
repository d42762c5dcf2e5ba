// Files of IDX sets for tests.
/** An IDX file of unsigned bytes. */
export function idx(shape: number[], values: number[], type = 8): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(4 + 4 * shape.length + values.length);
  bytes.set([0, 0, type, shape.length]);
  const view = new DataView(bytes.buffer);
  shape.forEach((d, k) => view.setUint32(4 + 4 * k, d));
  bytes.set(values, 4 + 4 * shape.length);
  return bytes;
}

/** Bytes as a gzip file. */
export async function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const packed = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}

/** The numbers below n. */
export function count(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i);
}

/** Of what a set is made. */
export interface SetOptions {
  /** Labels of the training images, one each. */
  readonly labels: readonly number[];
  /** Labels of the test images; those of the training images unless told. */
  readonly testLabels?: readonly number[];
  /** The size of an image; 2x2 unless told. */
  readonly image?: readonly number[];
}

/** The four files of a set, whose pixels are those of a count. */
export function idxSet(
  { labels, testLabels = labels, image = [2, 2] }: SetOptions,
): Record<string, Uint8Array<ArrayBuffer>> {
  const half = (name: string, labels: readonly number[]) => {
    const shape = [labels.length, ...image];
    const size = shape.reduce((a, b) => a * b, 1);
    return {
      [`${name}-images-idx${shape.length}-ubyte`]: idx(shape, count(size)),
      [`${name}-labels-idx1-ubyte`]: idx([labels.length], [...labels]),
    };
  };
  return { ...half("train", labels), ...half("t10k", testLabels) };
}

/** Writes files into a folder; a name may have folders. */
export async function writeFiles(dir: string, files: Record<string, Uint8Array>): Promise<void> {
  for (const [name, bytes] of Object.entries(files)) {
    const path = `${dir}/${name}`;
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await Deno.writeFile(path, bytes);
  }
}
