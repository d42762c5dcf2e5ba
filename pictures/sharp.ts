import map from "../import_map.json" with { type: "json" };
import { DataError } from "../data/error.ts";
import { tooManyOpen } from "../data/found_instead.ts";
import { grantingFlag, missingPermission } from "../data/missing_permission.ts";
import { LOCK_FLAG, notLocked } from "../data/not_locked.ts";
import { tellFetch } from "../data/package_fetch.ts";

/** What is decoded: `[height, width, channels]`, one byte each. */
interface RawPicture {
  readonly data: Uint8Array<ArrayBuffer>;
  readonly info: { readonly width: number; readonly height: number; readonly channels: number };
}

/** How a picture is opened; see sharp's own documentation. */
interface SharpOptions {
  readonly autoOrient?: boolean;
  readonly failOn?: "none" | "truncated" | "error" | "warning";
  readonly limitInputPixels?: number | false;
  readonly ignoreIcc?: boolean;
  /** The size of bytes that are pixels and no file. */
  readonly raw?: { readonly width: number; readonly height: number; readonly channels: 3 };
}

/** What the head of a picture says. */
export interface SharpMetadata {
  /** Its colours, as `srgb`, `b-w`, `rgb16`, `cmyk`. */
  readonly space: string;
  /** EXIF's orientation, 1 to 8. */
  readonly orientation?: number;
  /** Its ICC profile. */
  readonly icc?: Uint8Array;
  /** Its size as it is shown. */
  readonly autoOrient: { readonly width: number; readonly height: number };
}

interface ResizeOptions {
  readonly width: number;
  readonly height: number;
  readonly fit: "fill";
  readonly kernel: "cubic";
}

/** A picture on its way through sharp. */
export interface SharpPicture {
  metadata(): Promise<SharpMetadata>;
  resize(options: ResizeOptions): SharpPicture;
  pipelineColourspace(space: "cmyk"): SharpPicture;
  toColourspace(space: "srgb" | "cmyk"): SharpPicture;
  withIccProfile(profile: "srgb"): SharpPicture;
  composite(over: readonly { readonly input: Uint8Array }[]): SharpPicture;
  png(): { toBuffer(): Promise<Uint8Array> };
  jpeg(): { toBuffer(): Promise<Uint8Array> };
  raw(): SharpPicture;
  toBuffer(options: { readonly resolveWithObject: true }): Promise<RawPicture>;
}

/**
 * The part of sharp that is used. Its own types would bring Node's into the whole program, which
 * change those of timers and assertions.
 */
export interface Sharp {
  (bytes: Uint8Array, options: SharpOptions): SharpPicture;
  cache(enabled: boolean): void;
  concurrency(threads: number): void;
}

// What an import names by a literal is fetched before any command starts, and this has 40 MB of
// machine code that only pictures in files need. A package that is imported by its own name later brings
// along all others of deno.lock.
const MODULE: string = import.meta.resolve("./sharp_package.js");

const VERSION = map.imports.sharp.split("@").at(-1);

let loaded: Promise<Sharp> | undefined;

/** Tells that sharp is going to be fetched, where it is; in workers nobody listens. */
export function tellSharpFetch(): void {
  tellFetch({ name: `sharp ${VERSION}`, megabytes: 40, module: import.meta.resolve("sharp") });
}

/** What was in the way, without sharp's own advice, which is for npm. */
function inTheWay(cause: unknown): string {
  const missing = missingPermission(cause);
  if (missing) return `Deno started without the permission to: add ${grantingFlag(missing)}`;
  if (notLocked(cause)) return `a lock file without it: add ${LOCK_FLAG}, or use deno task`;
  return tooManyOpen(cause)
    ? "too many files open: raise the limit of open files (ulimit -n)"
    : "no way to: run sh setup.sh --all once where there is a network";
}

/** Imports sharp by its name. Raises a {@link DataError}. */
export async function importSharp(module: string): Promise<Sharp> {
  let sharp: Sharp;
  try {
    sharp = (await import(module)).default;
  } catch (cause) {
    throw new DataError(
      `Cannot decode pictures: wanted sharp ${VERSION}, which is loaded when it is first needed, ` +
        `found ${inTheWay(cause)}`,
      { cause },
    );
  }
  // Every picture is decoded once, and as many at a time as there are Workers.
  sharp.cache(false);
  sharp.concurrency(1);
  return sharp;
}

/**
 * Loads sharp, which is fetched where it is not there yet; one thread a picture, no cache. Raises a
 * {@link DataError} where it cannot be loaded.
 */
export function loadSharp(): Promise<Sharp> {
  if (!loaded) tellSharpFetch();
  return loaded ??= importSharp(MODULE);
}
