import { type ByteSource, Collected, openBytes } from "./byte_source.ts";
import {
  type IdxArray,
  type IdxHeader,
  LONGEST_IDX_HEADER,
  parseIdxHeader,
  wrongIdxSize,
} from "./idx.ts";

/** Reads the header, and leaves the source where the values begin. */
async function readHeader(source: ByteSource): Promise<IdxHeader> {
  const start = new Uint8Array(4);
  const filled = await source.fill(start);
  // What is no IDX file is told by more of its beginning.
  const isIdx = start[0] === 0 && start[1] === 0;
  const more = new Uint8Array(isIdx ? 4 * start[3] : LONGEST_IDX_HEADER);
  const rest = filled < 4 ? 0 : await source.fill(more);
  const head = new Uint8Array(filled + rest);
  head.set(start.subarray(0, filled));
  head.set(more.subarray(0, rest), filled);
  const header = parseIdxHeader(head, source.name);
  if (source.packed ? header.size > source.most : header.size !== source.most) {
    throw wrongIdxSize(source.name, header, source.packed ? "fewer" : source.most);
  }
  return header;
}

/** The shape of the array in an IDX file, packed or not. */
export async function readIdxShape(path: string): Promise<Pick<IdxArray, "fileName" | "shape">> {
  await using source = await openBytes(path);
  const { shape } = await readHeader(source);
  return { fileName: source.name, shape };
}

/**
 * Reads an IDX file, packed or not, of any size. No more is unpacked than its header says.
 *
 * @param path The file.
 * @param rows Which entries along the first axis to read, ascending; all unless told.
 */
export async function readIdx(path: string, rows?: Uint32Array): Promise<IdxArray> {
  await using source = await openBytes(path);
  const header = await readHeader(source);
  const { shape: [length, ...inner], size, bytes } = header;
  const row = (size - bytes) / length;
  if (!rows || length === 0) return { ...await readAll(source, header), fileName: source.name };
  const values = new Collected(source, rows.length * row);
  let at = 0;
  for (let i = 0; i < rows.length;) {
    let run = 1;
    while (i + run < rows.length && rows[i + run] === rows[i] + run) run++;
    await source.skip((rows[i] - at) * row);
    const filled = await values.read(run * row);
    at = rows[i] + run;
    if (filled < run * row) {
      // Where nothing comes, the end may be among what was left out.
      const found = filled ? bytes + (at - run) * row + filled : "fewer";
      throw wrongIdxSize(source.name, header, found);
    }
    i += run;
  }
  return { fileName: source.name, shape: [rows.length, ...inner], values: values.bytes };
}

async function readAll(source: ByteSource, header: IdxHeader): Promise<IdxArray> {
  const { shape, size, bytes } = header;
  const values = new Collected(source, size - bytes);
  const filled = await values.read(size - bytes);
  if (filled < size - bytes) throw wrongIdxSize(source.name, header, bytes + filled);
  if (await source.fill(new Uint8Array(1)) > 0) throw wrongIdxSize(source.name, header, "more");
  return { fileName: source.name, shape, values: values.bytes };
}
