import { lstat, open, readdir, realpath, stat } from "node:fs/promises";
import { DataError } from "../error.ts";
import { foundInstead, tooManyOpen } from "../found_instead.ts";
import { KIND_BYTES, pictureKind } from "../picture_kind.ts";
import { byCodePoint } from "./code_points.ts";

/** Entries that systems and programs leave behind; all that begins with a dot besides. */
const LEFT_BEHIND: readonly string[] = ["thumbs.db", "desktop.ini", "__macosx"];

/** Whether an entry of a folder is passed over without a word. */
export function isHidden(name: string): boolean {
  return name.startsWith(".") || LEFT_BEHIND.includes(name.toLowerCase());
}

/** Ends of names whose files are taken for pictures before they are opened. */
const ENDING = /\.(jpe?g|jpe|jfif|png|webp|gif|bmp|dib|avif|heic|heif|tiff?)$/i;

/** Whether a file is called as pictures are. */
export function hasPictureName(name: string): boolean {
  return ENDING.test(name);
}

/** Whether a file begins as a picture does. */
async function beginsAsPicture(path: string): Promise<boolean> {
  try {
    const file = await open(path);
    try {
      const head = new Uint8Array(KIND_BYTES);
      const { bytesRead } = await file.read(head, 0, KIND_BYTES, 0);
      return pictureKind(head.subarray(0, bytesRead)) !== undefined;
    } finally {
      await file.close();
    }
  } catch (error) {
    if (tooManyOpen(error)) throw unreadable(path, error);
    return false;
  }
}

/** A folder's visible entries: those of links are what they lead to. */
export interface Listing {
  /** Names of folders, sorted by code point. */
  readonly folders: readonly string[];
  /** Names of all else, sorted by code point. */
  readonly files: readonly string[];
}

function unreadable(path: string, error: unknown): DataError {
  return new DataError(
    `Cannot open pictures: wanted a folder of them, found ${foundInstead(path, error, "folder")}`,
    { cause: error },
  );
}

/** The visible entries of a folder. Raises a {@link DataError} where it cannot be read. */
export async function listFolder(path: string): Promise<Listing> {
  const entries = await readdir(path, { withFileTypes: true })
    .catch((error) => Promise.reject(unreadable(path, error)));
  const folders: string[] = [];
  const files: string[] = [];
  for (const entry of entries) {
    const { name } = entry;
    if (isHidden(name)) continue;
    const target = entry.isSymbolicLink() ? await statOf(`${path}/${name}`) : entry;
    (target?.isDirectory() ? folders : files).push(name);
  }
  return { folders: folders.sort(byCodePoint), files: files.sort(byCodePoint) };
}

async function statOf(path: string) {
  return await stat(path).catch(() => undefined);
}

/** Entries that are passed over, and said to be: how many, and the first ones. */
export class PassedOver {
  /** All of them. */
  count = 0;
  /** Paths of the first ones. */
  readonly first: string[] = [];

  /** One more. */
  add(path: string): void {
    this.count++;
    if (this.first.length < 3) this.first.push(path);
  }
}

/** A folder whose pictures are of one class. */
export interface ClassFolder {
  readonly name: string;
  readonly path: string;
}

/** The pictures below some folders. */
export interface FoundFiles {
  /** Of each folder, paths: by their folder, then by name, each by code point. */
  readonly files: readonly (readonly string[])[];
  /** Files that are no pictures. */
  readonly others: PassedOver;
  /** Links to folders that are read already, or that they are themselves in. */
  readonly loops: PassedOver;
}

/** A folder that is to be read. */
interface Open {
  /** By which it is named. */
  readonly path: string;
  /** Where it is, without links. */
  readonly real: string;
  /** The class that its pictures are of. */
  readonly label: number;
}

/** A link that is followed when all folders that are not links have been read. */
interface Link {
  readonly path: string;
  readonly label: number;
  /** Where the folder is that it is in, without links. */
  readonly inside: string;
}

/** How many files are opened at a time. */
const AT_ONCE = 32;

/** Reads folders, each once. */
class Walk {
  readonly others = new PassedOver();
  readonly loops = new PassedOver();
  readonly #read = new Set<string>();
  readonly #links: Link[] = [];
  readonly #found: Map<string, string[]>[];

  constructor(labels: number) {
    this.#found = Array.from({ length: labels }, () => new Map());
  }

  /** Of each label, the pictures so far. */
  files(): string[][] {
    return this.#found.map((folders) =>
      [...folders].sort(([a], [b]) => byCodePoint(a, b)).flatMap(([folder, names]) =>
        names.sort(byCodePoint).map((name) => `${folder}/${name}`)
      )
    );
  }

  /** Says that a folder is not to be read again. */
  close(real: string): void {
    this.#read.add(real);
  }

  addLink(link: Link): void {
    this.#links.push(link);
  }

  async folder(from: Open): Promise<void> {
    const open = [from];
    for (let next = open.pop(); next; next = open.pop()) {
      if (this.#read.has(next.real)) continue;
      this.#read.add(next.real);
      open.push(...await this.#one(next));
    }
  }

  /** Takes the pictures that lie in a folder, and gives the folders in it. */
  async #one({ path, real, label }: Open): Promise<Open[]> {
    const entries = await readdir(path, { withFileTypes: true })
      .catch((error) => Promise.reject(unreadable(path, error)));
    const inside: Open[] = [];
    const names: string[] = [];
    const unknown: string[] = [];
    const file = (name: string) => (hasPictureName(name) ? names : unknown).push(name);
    for (const entry of entries) {
      const { name } = entry;
      if (isHidden(name)) continue;
      if (entry.isDirectory()) {
        inside.push({ path: `${path}/${name}`, real: `${real}/${name}`, label });
      } else if (entry.isFile()) file(name);
      else if (entry.isSymbolicLink()) {
        const target = await statOf(`${path}/${name}`);
        if (target?.isDirectory()) {
          this.#links.push({ path: `${path}/${name}`, label, inside: real });
          // A link that leads nowhere is found to be a broken picture.
        } else if (target?.isFile() || (!target && hasPictureName(name))) file(name);
        else this.others.add(`${path}/${name}`);
      } else this.others.add(`${path}/${name}`);
    }
    unknown.sort(byCodePoint);
    for (let i = 0; i < unknown.length; i += AT_ONCE) {
      const some = unknown.slice(i, i + AT_ONCE);
      const pictures = await Promise.all(some.map((name) => beginsAsPicture(`${path}/${name}`)));
      some.forEach((name, k) =>
        pictures[k] ? names.push(name) : this.others.add(`${path}/${name}`)
      );
    }
    if (names.length) this.#found[label].set(path, names);
    return inside;
  }

  /** Follows links, also those that are found on the way. */
  async links(): Promise<void> {
    for (let link = this.#links.shift(); link; link = this.#links.shift()) {
      const { path, label, inside } = link;
      const real = await realpath(path).catch((error) => Promise.reject(unreadable(path, error)));
      const holds = `${inside}/`.startsWith(real === "/" ? real : `${real}/`);
      if (holds || this.#read.has(real)) this.loops.add(path);
      else await this.folder({ path, real, label });
    }
  }
}

/**
 * Finds the pictures below some folders, deeper levels included. By their name, where it ends as
 * those of pictures do, so that few files are opened; others by their first bytes. Links are followed,
 * but no folder is read twice. Raises a {@link DataError} for a folder that cannot be read.
 *
 * @param parent The folder that they are all in.
 */
export async function findPictures(
  parent: string,
  folders: readonly ClassFolder[],
): Promise<FoundFiles> {
  const walk = new Walk(folders.length);
  const real = await realpath(parent).catch((error) => Promise.reject(unreadable(parent, error)));
  walk.close(real);
  for (const [label, { name, path }] of folders.entries()) {
    const info = await lstat(path).catch((error) => Promise.reject(unreadable(path, error)));
    if (info.isSymbolicLink()) walk.addLink({ path, label, inside: real });
    else await walk.folder({ path, real: `${real}/${name}`, label });
  }
  await walk.links();
  const { others, loops } = walk;
  return { files: walk.files(), others, loops };
}
