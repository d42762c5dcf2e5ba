// What the doctor finds besides the GPU: versions, permissions, disks, caches.
import { messageOf } from "../../data/message_of.ts";
import { dirname, resolve } from "node:path";
import { accessSync, constants, statfsSync } from "node:fs";
import config from "../../deno.json" with { type: "json" };
import map from "../../import_map.json" with { type: "json" };
import { printable } from "../../data/printable.ts";
import { loadSharp } from "../../pictures/sharp.ts";
import { parseLatencies } from "../run/latency_cache.ts";
import { cacheFolder, granted } from "../run/kept_json.ts";
import { parseTiles } from "../run/tile_cache.ts";

/** A folder that is written to, and its disk. */
export interface Place {
  /** What goes there. */
  readonly what: string;
  readonly path: string;
  /** Bytes that are free; missing where that may not be asked. */
  readonly free?: number;
  /** Whether the system lets this user write there; missing likewise. */
  readonly writable?: boolean;
}

/** A file that keeps what was measured. */
export interface Cache {
  readonly what: string;
  readonly path: string;
  /** Values by owner, as an adapter; missing where there is no file. */
  readonly entries?: Readonly<Record<string, number>>;
  /** Why it cannot be read. */
  readonly problem?: string;
}

/** Something that Deno permits, or does not. */
export interface Permission {
  /** As a flag without its dashes, as `allow-read`. */
  readonly flag: string;
  readonly granted: boolean;
  /** What has a use for it. */
  readonly for: string;
}

/** All of it. */
export interface Surroundings {
  readonly versions: Readonly<Record<string, string>>;
  readonly system: string;
  readonly cores: number;
  /** Bytes; missing where that may not be asked. */
  readonly memory?: { readonly total: number; readonly available: number };
  readonly permissions: readonly Permission[];
  readonly places: readonly Place[];
  /** Missing where no variable names the folder of caches. */
  readonly caches?: readonly Cache[];
  /** Why pictures cannot be decoded; missing where they can. */
  readonly pictures?: string;
}

const PACKAGES = ["sharp", "onnxruntime-web", "@observablehq/plot"] as const;

function versions(): Record<string, string> {
  const packages = PACKAGES.map((name) => [name, map.imports[name].split("@").at(-1) ?? ""]);
  return {
    adjoin: config.version,
    Deno: Deno.version.deno,
    V8: Deno.version.v8,
    ...Object.fromEntries(packages),
  };
}

const PERMISSIONS: readonly (readonly [Deno.PermissionDescriptor, string, string])[] = [
  [{ name: "read" }, "allow-read", "pictures and runs"],
  [{ name: "write" }, "allow-write", "runs and caches"],
  [{ name: "env", variable: "HOME" }, "allow-env", "the folder of caches"],
  [{ name: "sys", kind: "systemMemoryInfo" }, "allow-sys", "keeping pictures in memory"],
  [{ name: "net", host: "127.0.0.1" }, "allow-net=127.0.0.1", "serve, and checks in a browser"],
  [{ name: "run" }, "allow-run", "checks in a browser"],
];

async function permissions(): Promise<Permission[]> {
  return await Promise.all(
    PERMISSIONS.map(async ([asked, flag, use]) => ({
      flag,
      granted: await granted(asked),
      for: use,
    })),
  );
}

/** The nearest folder above a path that is there. */
function existing(path: string): string {
  for (let at = path;; at = dirname(at)) {
    try {
      if (Deno.statSync(at).isDirectory || at === dirname(at)) return at;
    } catch {
      if (at === dirname(at)) return at;
    }
  }
}

/** A folder that is written to; nothing of its disk where that may not be asked. */
export async function placeOf(what: string, path: string): Promise<Place> {
  const place = { what, path };
  if (!await granted({ name: "read", path })) return place;
  const folder = existing(path);
  if (!await granted({ name: "read", path: folder })) return place;
  return { ...place, ...await writableIn(folder), ...await roomIn(folder) };
}

async function writableIn(folder: string): Promise<Pick<Place, "writable">> {
  const asks = await granted({ name: "sys", kind: "uid" }) &&
    await granted({ name: "sys", kind: "gid" });
  if (!asks) return {};
  try {
    accessSync(folder, constants.W_OK);
    return { writable: true };
  } catch {
    return { writable: false };
  }
}

async function roomIn(folder: string): Promise<Pick<Place, "free">> {
  if (!await granted({ name: "sys", kind: "statfs" })) return {};
  try {
    const { bavail, bsize } = statfsSync(folder);
    return { free: Number(bavail) * Number(bsize) };
  } catch {
    return {};
  }
}

/** A cache and how much it has of each owner. */
export async function cacheOf(
  what: string,
  path: string,
  parse: (text: string) => Readonly<Record<string, Readonly<Record<string, unknown>>>>,
): Promise<Cache> {
  if (!await granted({ name: "read", path })) return { what, path };
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch {
    return { what, path };
  }
  try {
    const counts = Object.entries(parse(text)).map(([owner, values]) =>
      [printable(owner), Object.keys(values).length] as const
    );
    return { what, path, entries: Object.fromEntries(counts) };
  } catch (error) {
    return { what, path, problem: messageOf(error) };
  }
}

/** Whether sharp can be loaded, else why not. */
async function picturesProblem(): Promise<string | undefined> {
  try {
    await loadSharp();
  } catch (error) {
    return messageOf(error);
  }
}

/** Looks at everything but the GPU. */
export async function findSurroundings(): Promise<Surroundings> {
  const folder = await cacheFolder();
  const runs = await granted({ name: "read", path: "." }) ? resolve("runs") : "runs";
  const asksMemory = await granted({ name: "sys", kind: "systemMemoryInfo" });
  const { total, available } = asksMemory
    ? Deno.systemMemoryInfo()
    : { total: undefined, available: undefined };
  return {
    versions: versions(),
    system: `${Deno.build.os} ${Deno.build.arch}`,
    cores: navigator.hardwareConcurrency,
    ...total === undefined ? {} : { memory: { total, available } },
    permissions: await permissions(),
    places: [
      await placeOf("runs", runs),
      ...folder === undefined ? [] : [await placeOf("caches", folder)],
    ],
    ...folder === undefined ? {} : {
      caches: [
        await cacheOf("tiles", `${folder}/tiles.json`, parseTiles),
        await cacheOf("latencies", `${folder}/latencies.json`, parseLatencies),
      ],
    },
    pictures: await picturesProblem(),
  };
}
