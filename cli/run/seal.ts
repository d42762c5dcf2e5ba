// The digest in a checkpoint, by which damage is found that leaves it readable.
import { UNSEALED } from "../../train/resume/training_state.ts";

/** Bytes that are hashed at a time, off the thread that trains. */
const CHUNK = 1 << 22;

const KEY = new TextEncoder().encode('"sha256":"');

/** Consecutive pieces, cut anew into chunks of one size. */
function* chunksOf(pieces: readonly Uint8Array[]): Generator<Uint8Array<ArrayBuffer>> {
  let left = pieces.reduce((sum, { length }) => sum + length, 0);
  let chunk = new Uint8Array(Math.min(CHUNK, left));
  let filled = 0;
  for (const piece of pieces) {
    for (let at = 0; at < piece.length;) {
      const part = piece.subarray(at, at + CHUNK - filled);
      chunk.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled < CHUNK) continue;
      yield chunk;
      left -= CHUNK;
      [chunk, filled] = [new Uint8Array(Math.min(CHUNK, left)), 0];
    }
  }
  yield chunk.subarray(0, filled);
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

/** SHA-256 of the SHA-256 of all chunks, in hexadecimal digits. */
async function digestOf(pieces: readonly Uint8Array[]): Promise<string> {
  const digests: Uint8Array<ArrayBuffer>[] = [];
  for (const chunk of chunksOf(pieces)) digests.push(await sha256(chunk));
  const all = new Uint8Array(digests.length * 32);
  digests.forEach((digest, i) => all.set(digest, i * 32));
  return Array.from(await sha256(all), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Where the digits of a seal begin in a header; -1 where there is none. */
function sealIn(header: Uint8Array): number {
  const last = header.length - KEY.length - UNSEALED.length;
  for (let at = 0; at <= last; at++) {
    if (KEY.every((byte, i) => header[at + i] === byte)) return at + KEY.length;
  }
  return -1;
}

function withSeal(header: Uint8Array, at: number, seal: string): Uint8Array {
  const sealed = header.slice();
  sealed.set(new TextEncoder().encode(seal), at);
  return sealed;
}

/** A training state in pieces, with its own digest in the header. */
export async function sealed(pieces: readonly Uint8Array[]): Promise<Uint8Array[]> {
  const [header, ...data] = pieces;
  return [withSeal(header, sealIn(header), await digestOf(pieces)), ...data];
}

/** Whether the bytes of a training state are others than those that were sealed. */
export async function isDamaged(bytes: Uint8Array): Promise<boolean> {
  const { buffer, byteOffset, byteLength } = bytes;
  const length = Number(new DataView(buffer, byteOffset, byteLength).getBigUint64(0, true));
  const header = bytes.subarray(0, 8 + length);
  const at = sealIn(header);
  if (at < 0) return true;
  const seal = new TextDecoder().decode(header.subarray(at, at + UNSEALED.length));
  if (seal === UNSEALED) return false;
  const unsealed = withSeal(header, at, UNSEALED);
  return await digestOf([unsealed, bytes.subarray(header.length)]) !== seal;
}
