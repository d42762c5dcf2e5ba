import { createReadStream } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { createGunzip } from "node:zlib";
import { DataError } from "./error.ts";
import { foundInstead } from "./found_instead.ts";
import { printable } from "./printable.ts";

/** A file that is read from its beginning on, part by part; a gzip file as what is packed in it. */
export interface ByteSource extends AsyncDisposable {
  /** What errors call it. */
  readonly name: string;
  /** How many bytes there are at most; of a file that is not packed, how many there are. */
  readonly most: number;
  /** Whether it is a gzip file. */
  readonly packed: boolean;
  /** The next bytes, as many as there is room for, unless it ends; tells how many there were. */
  fill(room: Uint8Array): Promise<number>;
  /** Leaves out the next bytes. */
  skip(count: number): Promise<void>;
}

/** Bytes read at a time: a system reads less than 2 GiB at once. */
const CHUNK = 1 << 26;

/** Bytes that room is taken for before anything of a packed file has been seen. */
const FIRST_ROOM = 1 << 20;

/** How many bytes one byte of a deflate stream stands for at most. */
const LARGEST_RATIO = 1032;

function unreadable(path: string, cause: unknown): DataError {
  return new DataError(
    `Cannot read images: wanted a file of the data set, found ${foundInstead(path, cause)}`,
    { cause },
  );
}

/** A file that is read as it is. */
class PlainSource implements ByteSource {
  readonly name: string;
  readonly most: number;
  readonly packed = false;
  readonly #file: FileHandle;
  #at = 0;

  constructor(name: string, size: number, file: FileHandle) {
    this.name = name;
    this.most = size;
    this.#file = file;
  }

  async fill(room: Uint8Array): Promise<number> {
    let filled = 0;
    while (filled < room.length) {
      const length = Math.min(CHUNK, room.length - filled);
      const { bytesRead } = await this.#file.read(room, filled, length, this.#at);
      if (bytesRead === 0) break;
      filled += bytesRead;
      this.#at += bytesRead;
    }
    return filled;
  }

  skip(count: number): Promise<void> {
    this.#at += count;
    return Promise.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}

/** What a gzip file holds, also one of several members, or with zeros behind it. */
class GzipSource implements ByteSource {
  readonly name: string;
  readonly most: number;
  readonly packed = true;
  readonly #path: string;
  readonly #size: number;
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #close: () => void;
  #rest = new Uint8Array();

  constructor(path: string, size: number) {
    this.name = printable(path, 300);
    this.most = size * LARGEST_RATIO;
    this.#path = path;
    this.#size = size;
    const file = createReadStream(path);
    const unpacked = createGunzip();
    file.on("error", (error: Error) => unpacked.destroy(error));
    file.pipe(unpacked);
    this.#chunks = unpacked[Symbol.asyncIterator]();
    this.#close = () => {
      file.destroy();
      unpacked.destroy();
    };
  }

  async #next(): Promise<boolean> {
    try {
      const { done, value } = await this.#chunks.next();
      if (done) return false;
      this.#rest = new Uint8Array(value);
      return true;
    } catch (cause) {
      // Errors of the system have codes as ENOENT, those of zlib as Z_DATA_ERROR.
      const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
      if (code.startsWith("E")) throw unreadable(this.#path, cause);
      throw new DataError(
        `Cannot unpack ${this.name}: wanted a whole gzip file, found ${this.#size} bytes that ` +
          `are cut off or damaged; download or pack it again`,
        { cause },
      );
    }
  }

  async fill(room: Uint8Array): Promise<number> {
    let filled = 0;
    while (filled < room.length) {
      if (this.#rest.length === 0 && !await this.#next()) break;
      const part = this.#rest.subarray(0, room.length - filled);
      room.set(part, filled);
      filled += part.length;
      this.#rest = this.#rest.subarray(part.length);
    }
    return filled;
  }

  async skip(count: number): Promise<void> {
    while (count > 0) {
      if (this.#rest.length === 0 && !await this.#next()) break;
      const part = Math.min(count, this.#rest.length);
      count -= part;
      this.#rest = this.#rest.subarray(part);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#close();
    return Promise.resolve();
  }
}

/**
 * Parts of a source, one behind the other. A packed file may say that it holds a thousand times what
 * it does: room for what it holds is taken as that comes, twice as much at most.
 */
export class Collected {
  readonly #source: ByteSource;
  readonly #most: number;
  #room: Uint8Array;
  #length = 0;

  /** `most` is how many bytes are read at most; there are as many in a file that is not packed. */
  constructor(source: ByteSource, most: number) {
    this.#source = source;
    this.#most = most;
    this.#room = new Uint8Array(source.packed ? Math.min(most, FIRST_ROOM) : most);
  }

  /** Reads the next bytes, `count` of them unless the source ends; tells how many there were. */
  async read(count: number): Promise<number> {
    const start = this.#length;
    const end = Math.min(start + count, this.#most);
    while (this.#length < end) {
      if (this.#length === this.#room.length) {
        const room = new Uint8Array(Math.min(2 * this.#room.length, this.#most));
        room.set(this.#room);
        this.#room = room;
      }
      const part = this.#room.subarray(this.#length, end);
      const filled = await this.#source.fill(part);
      this.#length += filled;
      if (filled < part.length) break;
    }
    return this.#length - start;
  }

  /** What has been read. */
  get bytes(): Uint8Array {
    return this.#room.subarray(0, this.#length);
  }
}

/**
 * Opens a file of a data set. Raises a {@link DataError} for what is no file: a folder, a device, a
 * pipe, or what may not be read.
 */
export async function openBytes(path: string): Promise<ByteSource> {
  let file: FileHandle | undefined;
  try {
    const info = await stat(path);
    if (info.isDirectory()) throw Object.assign(new Error("a folder"), { code: "EISDIR" });
    // A pipe would wait for who writes into it.
    if (!info.isFile()) throw new Error("it is a device or a pipe");
    file = await open(path, "r");
    const head = new Uint8Array(2);
    await file.read(head, 0, 2, 0);
    if (head[0] !== 0x1f || head[1] !== 0x8b) {
      return new PlainSource(printable(path, 300), info.size, file);
    }
    await file.close();
    return new GzipSource(path, info.size);
  } catch (cause) {
    await file?.close().catch(() => {});
    throw unreadable(path, cause);
  }
}
