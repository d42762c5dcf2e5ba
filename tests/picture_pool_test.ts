// Pictures in files, decoded by workers: what is broken, what is gone, what is kept.
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { DataError } from "../data/error.ts";
import type { Picture } from "../data/picture.ts";
import type { PictureSource } from "../data/pictures.ts";
import type { Preparation } from "../data/preparation.ts";
import { MemoryCache } from "../pictures/memory_cache.ts";
import { openPicturePool, type PicturePoolOptions } from "../pictures/picture_pool.ts";
import { PictureWorkers } from "../pictures/picture_workers.ts";
import { withFolder } from "./folder.ts";
import { encode, noise } from "./made_pictures.ts";
import { lacks } from "./permissions.ts";

const ignore = lacks("read", "write", "ffi", "env");

const LEVEL: Preparation = { kind: "level", channels: 3, side: 8, area: 200 };
const CENTRAL: Preparation = {
  ...{ kind: "central", channels: 3, size: 6, cropPct: 0.9, interpolation: "bilinear" },
};

/** Makes JPEGs of different sizes. */
async function makePictures(dir: string, count: number): Promise<string[]> {
  await Deno.mkdir(`${dir}/cat`, { recursive: true });
  const files: string[] = [];
  for (let i = 0; i < count; i++) {
    files.push(`${dir}/cat/${String(i).padStart(3, "0")}.jpg`);
    await Deno.writeFile(files[i], await encode(noise(9 + i % 5, 12 + i % 3, 3), "jpeg"));
  }
  return files;
}

function readAll(source: PictureSource, count: number): Promise<(Picture | undefined)[]> {
  return Promise.all(Array.from({ length: count }, (_, place) => source.read(place)));
}

/** Reads all pictures with a pool of its own; what was noted, and the error if there was one. */
async function readIn(
  files: readonly string[],
  options: PicturePoolOptions,
  preparation = LEVEL,
): Promise<{ pictures: (Picture | undefined)[]; notes: string[]; error?: Error }> {
  const notes: string[] = [];
  using pool = openPicturePool({ note: (text) => notes.push(text), ...options });
  try {
    return { pictures: await readAll(pool.open(files, preparation), files.length), notes };
  } catch (error) {
    assert(error instanceof Error);
    return { pictures: [], notes, error };
  }
}

async function corrupt(file: string): Promise<void> {
  const bytes = await Deno.readFile(file);
  await Deno.writeFile(file, bytes.subarray(0, bytes.length >> 1));
}

Deno.test(
  "pictures are the same for any number of workers and any cache",
  { ignore },
  () =>
    withFolder(async (dir) => {
      const files = await makePictures(dir, 11);
      const read = async (
        options: Omit<PicturePoolOptions, "dataDir">,
        preparation: Preparation,
      ) => {
        using pool = openPicturePool({ dataDir: dir, ...options });
        const source = pool.open(files, preparation);
        const first = await readAll(source, files.length);
        assertEquals(await readAll(source, files.length), first);
        return first;
      };
      for (const preparation of [LEVEL, CENTRAL]) {
        const wanted = await read({ workers: 1, cache: "none" }, preparation);
        assert(wanted.every((picture) => picture?.pixels.some((byte) => byte > 0)));
        const disk = { cache: "disk", cacheFolder: `${dir}/cache` } as const;
        assertEquals(await read({ workers: 3, cache: "none" }, preparation), wanted);
        assertEquals(await read({ workers: 2, cache: "memory" }, preparation), wanted);
        assertEquals(await read({ workers: 2, ...disk }, preparation), wanted);
        assertEquals(await read({ workers: 1, ...disk }, preparation), wanted);
      }
    }),
);

Deno.test(
  "a broken picture is named once and left out",
  { ignore },
  () =>
    withFolder(async (dir) => {
      const files = await makePictures(dir, 4);
      await corrupt(files[2]);
      const notes: string[] = [];
      using pool = openPicturePool({ dataDir: dir, note: (text) => notes.push(text) });
      for (const preparation of [LEVEL, CENTRAL]) {
        const source = pool.open(files, preparation);
        const pictures = await readAll(source, 4);
        assertEquals(pictures.map((picture) => picture === undefined), [false, false, true, false]);
        assertEquals(await source.read(2), undefined);
      }
      assertEquals(notes.length, 1);
      assertMatch(notes[0], /^left out cat\/002\.jpg: ./);
    }),
);

Deno.test(
  "more than one broken picture in a hundred ends a run",
  { ignore },
  () =>
    withFolder(async (dir) => {
      const files = await makePictures(dir, 8);
      await corrupt(files[1]);
      assertEquals((await readIn(files, { dataDir: dir })).error, undefined);
      await Deno.writeFile(files[6], new Uint8Array());
      const { error } = await readIn(files, { dataDir: dir });
      assert(error instanceof DataError);
      assertMatch(
        error.message,
        /^Cannot use the pictures in \S+: wanted at most 1\.0 % broken, found 2 of 8 so far, one of them cat\/001\.jpg: .+; remove/,
      );
      // The same files, as a small part of a larger set.
      const many = Array.from({ length: 200 }, (_, i) => files[i % 100 < 2 ? 1 + i % 100 * 5 : 0]);
      const part = await readIn(many.slice(0, 100).concat(Array(100).fill(files[0])), {
        dataDir: dir,
      });
      assertEquals(part.error, undefined);
      assertEquals(part.notes.length, 2);
    }),
);

Deno.test(
  "strict runs end with the first broken picture, by its name",
  { ignore },
  () =>
    withFolder(async (dir) => {
      const files = await makePictures(dir, 3);
      assertEquals((await readIn(files, { dataDir: dir, strict: true })).error, undefined);
      await Deno.writeTextFile(files[1], "no picture");
      const { error, notes } = await readIn(files, { dataDir: dir, strict: true });
      assert(error instanceof DataError);
      assertMatch(
        error.message,
        /found cat\/001\.jpg: no picture .*; remove it or leave out strict$/,
      );
      assertEquals(notes, []);
    }),
);

Deno.test(
  "after ten broken pictures the others are counted",
  { ignore },
  () =>
    withFolder(async (dir) => {
      const [file] = await makePictures(dir, 1);
      const broken = Array.from({ length: 12 }, (_, i) => `${dir}/cat/broken-${i}.jpg`);
      for (const path of broken) await Deno.writeTextFile(path, "no picture");
      const files = [...broken, ...Array(1300).fill(file)];
      const { notes } = await readIn(files, { dataDir: dir, cache: "memory" });
      assertEquals(notes.length, 12);
      assertEquals(notes[10], "left out more pictures, which are counted");
      assertEquals(notes[11], "left out 12 broken pictures in all");
    }),
);

Deno.test(
  "a file that is gone, or may not be read, is broken",
  { ignore },
  () =>
    withFolder(async (dir) => {
      const files = await makePictures(dir, 3);
      await Deno.remove(files[0]);
      const gone = await readIn(files, { dataDir: dir });
      assertEquals(gone.notes, ["left out cat/000.jpg: no such file any more"]);
      assertEquals(gone.pictures[0], undefined);
      await Deno.mkdir(files[0]);
      const folder = await readIn(files, { dataDir: dir });
      assertEquals(folder.notes, ["left out cat/000.jpg: not a file"]);
      await Deno.remove(files[0]);
      await Deno.writeFile(files[0], new Uint8Array(1), { mode: 0 });
      // The superuser reads everything.
      if (await Deno.readFile(files[0]).catch(() => undefined)) return;
      const closed = await readIn(files, { dataDir: dir });
      assertEquals(closed.notes, ["left out cat/000.jpg: no permission to read it"]);
    }),
);

Deno.test(
  "a folder that is gone ends a run, and breaks no picture",
  { ignore },
  () =>
    withFolder(async (dir) => {
      const data = `${dir}/photos`;
      const files = await makePictures(data, 3);
      const notes: string[] = [];
      using pool = openPicturePool({ dataDir: data, note: (text) => notes.push(text) });
      const source = pool.open(files, LEVEL);
      assert(await source.read(0));
      await Deno.rename(data, `${dir}/elsewhere`);
      const error = await assertRejects(() => source.read(1), DataError);
      assertMatch(error.message, /wanted the folder \S+\/photos, found it gone; put it back/);
      await assertRejects(() => source.read(2), DataError);
      assertEquals(notes, []);
    }),
);

/** A program of a worker that does what it is told by the name of a file. */
function program(): URL {
  const source = `
    self.onmessage = ({ data: { id, path } }) => {
      if (path === "die") {
        return self.postMessage({ kind: "failed", message: "Error: a codec has failed" });
      }
      if (path === "hang") while (true);
      const picture = { height: 1, width: 1, channels: 3, pixels: new Uint8Array(3) };
      self.postMessage({ kind: "decoded", id, decoded: { kind: "picture", picture } });
    };
    self.postMessage({ kind: "ready" });`;
  return new URL(`data:text/javascript,${encodeURIComponent(source)}`);
}

Deno.test("a picture that ends its worker, or takes too long, is broken alone", async () => {
  using workers = new PictureWorkers({ count: 2, longest: 1, program: program() });
  const names = ["a", "die", "b", "hang", "c", "d", "die", "e"];
  const found = await Promise.all(
    names.map((path) => workers.decode({ path, preparation: LEVEL })),
  );
  const words = found.map((decoded) => decoded.kind === "picture" ? "read" : decoded.reason);
  const [died, late] = [
    "its decoder failed: Error: a codec has failed",
    "took longer than 1 s",
  ];
  assertEquals(words, ["read", died, "read", late, "read", "read", died, "read"]);
});

Deno.test("workers start when there is work for them, and end what they are asked for", async () => {
  const workers = new PictureWorkers({ count: 3, program: program() });
  assertEquals(workers.started, 0);
  await workers.decode({ path: "a", preparation: LEVEL });
  assertEquals(workers.started, 1);
  const asked = workers.decode({ path: "b", preparation: LEVEL });
  workers[Symbol.dispose]();
  await assertRejects(() => asked, Error, "their workers have ended");
  await assertRejects(() => workers.decode({ path: "c", preparation: LEVEL }), Error, "ended");
  const none = new URL(
    "data:text/javascript,self.postMessage({kind:'failed',message:'no decoder'})",
  );
  using failing = new PictureWorkers({ count: 3, program: none });
  await assertRejects(
    () => failing.decode({ path: "a", preparation: LEVEL }),
    Error,
    "no worker starts, as its decoder failed: no decoder",
  );
});

Deno.test(
  "entries of the cache that are broken, old or deleted are written anew",
  { ignore },
  () =>
    withFolder(async (dir) => {
      const files = await makePictures(`${dir}/data`, 3);
      const cacheFolder = `${dir}/cache`;
      const options = { dataDir: `${dir}/data`, cache: "disk", cacheFolder } as const;
      const { pictures } = await readIn(files, options);
      const entries = (): string[] =>
        [...Deno.readDirSync(cacheFolder)].flatMap(({ name }) =>
          [...Deno.readDirSync(`${cacheFolder}/${name}`)].map((entry) =>
            `${cacheFolder}/${name}/${entry.name}`
          )
        ).sort();
      assertEquals(entries().length, 3);
      // Kept pictures are taken: the cache says what a file of the same size and time holds.
      const { mtime } = await Deno.stat(files[0]);
      const bytes = await Deno.readFile(files[0]);
      await Deno.writeFile(files[0], bytes.map(() => 0));
      await Deno.utime(files[0], mtime!, mtime!);
      assertEquals((await readIn(files, options)).pictures, pictures);
      await Deno.utime(files[0], new Date(0), new Date(0));
      assertEquals((await readIn(files, options)).pictures[0], undefined);
      await Deno.writeFile(files[0], bytes);
      await Deno.utime(files[0], mtime!, mtime!);
      // Truncated, with a wrong byte, empty.
      const [a, b, c] = entries();
      const whole = await Deno.readFile(a);
      await Deno.writeFile(a, whole.subarray(0, 50));
      const wrong = await Deno.readFile(b);
      wrong[wrong.length - 1] ^= 1;
      await Deno.writeFile(b, wrong);
      await Deno.writeFile(c, new Uint8Array());
      assertEquals((await readIn(files, options)).pictures, pictures);
      assertEquals(await Deno.readFile(a), whole);
      using pool = openPicturePool(options);
      const source = pool.open(files, LEVEL);
      await source.read(0);
      await Deno.remove(cacheFolder, { recursive: true });
      assertEquals(await readAll(source, 3), pictures);
      assert(entries().length >= 2);
      // Where there can be no folder.
      const nowhere = { ...options, cacheFolder: `${files[0]}/cache` };
      assertEquals((await readIn(files, nowhere)).pictures, pictures);
    }),
);

Deno.test(
  "a cache on disk that nobody has used for a month is removed",
  { ignore },
  () =>
    withFolder(async (dir) => {
      const files = await makePictures(`${dir}/data`, 1);
      const options = {
        dataDir: `${dir}/data`,
        cache: "disk",
        cacheFolder: `${dir}/cache`,
      } as const;
      const names = (): number => [...Deno.readDirSync(`${dir}/cache`)].length;
      await readIn(files, options);
      await Deno.mkdir(`${dir}/cache/of the user`);
      for (const { name } of Deno.readDirSync(`${dir}/cache`)) {
        await Deno.utime(`${dir}/cache/${name}`, new Date(0), new Date(0));
      }
      await readIn(files, options, CENTRAL);
      assertEquals(names(), 2);
      await readIn(files, options);
      assertEquals(names(), 3);
    }),
);

Deno.test("memory keeps all pictures that fit, or none, or some where it is asked to", () => {
  const picture = { height: 1, width: 1, channels: 1, pixels: new Uint8Array(10) };
  const kept = (count: number, left: number, some: boolean) => {
    const bound = { left };
    const cache = new MemoryCache({ bound, some });
    cache.expect(count);
    for (let i = 0; i < count; i++) cache.put(`${i}`, picture);
    const there =
      Array.from({ length: count }, (_, i) => cache.get(`${i}`)).filter((p) => p).length;
    return [there, bound.left];
  };
  assertEquals(kept(100, 1000, false), [100, 0]);
  assertEquals(kept(5, 1000, false), [5, 950]);
  assertEquals(kept(100, 999, false), [0, 999]);
  assertEquals(kept(100, 999, true), [99, 9]);
  assertEquals(kept(5, 40, false), [0, 40]);
});
