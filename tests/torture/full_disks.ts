// Runs whose folder cannot be written to from some moment on, up to another or to their end.
//   deno run -A tests/torture/full_disks.ts [SHARE]
import { fileURLToPath } from "node:url";
import { readCheckpoint } from "../../cli/run/checkpoint_files.ts";
import { RunFolder } from "../../cli/run/run_folder.ts";
import { Random } from "../../data/random.ts";
import { UsageError } from "../../train/errors.ts";
import { runSummary } from "../run_metrics.ts";
import { filesOf, OPTIONS, rowOf, stateAt } from "./saving_run.ts";

/** Epochs of a run. */
const EPOCHS = 8;

/** What a folder suffers. */
interface Trouble {
  /** Begins, in the folder of a run. */
  begin(path: string, random: Random): Promise<void>;
  end(path: string): Promise<void>;
  /** The reason that is told. */
  readonly why: RegExp;
  /** Whether the files that were there are gone. */
  readonly removes?: boolean;
  /** Whether it cannot begin while a file is being written. */
  readonly waits?: boolean;
  /** Whether it is everywhere, so that nothing can be kept elsewhere, either. */
  readonly everywhere?: boolean;
}

async function run(program: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args }).output();
  if (!success) {
    throw new Error(`${program} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  }
}

/** Fills the disk of a folder but for some bytes. */
async function fill(folder: string, room: number): Promise<void> {
  using ballast = await Deno.open(`${folder}/ballast`, { write: true, createNew: true });
  const piece = new Uint8Array(1 << 16);
  let size = 0;
  try {
    for (;;) size += await ballast.write(piece);
  } catch { /* It is full. */ }
  await ballast.truncate(Math.max(0, size - room));
}

const open: Deno.FsFile[] = [];

/** Kinds of trouble, by name; those of disks are of one that is mounted at `disk`. */
function troubles(disk: string): Record<string, Trouble> {
  return {
    "full disk": {
      begin: (_, random) => fill(disk, random.integer(3) ? random.integer(600_000) : 0),
      end: () => Deno.remove(`${disk}/ballast`),
      why: /no space is left/,
    },
    "read-only disk": {
      begin: () => run("mount", "-o", "remount,ro", disk),
      end: () => run("mount", "-o", "remount,rw", disk),
      waits: true,
      why: /the disk is read-only|there is no permission to write/,
    },
    "removed folder": {
      begin: async (path) => {
        // At once, as something may be written there.
        await Deno.rename(path, `${path}-gone`);
        await Deno.remove(`${path}-gone`, { recursive: true });
      },
      end: (path) => Deno.mkdir(path),
      why: /its folder is not there/,
      removes: true,
    },
    "no file descriptors": {
      begin(_, random) {
        try {
          for (;;) open.push(Deno.openSync("/dev/null"));
        } catch { /* There are no more. */ }
        for (const file of open.splice(0, random.integer(3))) file.close();
        return Promise.resolve();
      },
      end() {
        for (const file of open.splice(0)) file.close();
        return Promise.resolve();
      },
      why: /too many files are open/,
      everywhere: true,
    },
  };
}

/** Epochs in the folder of a run: that of its last checkpoint, all of whose values are its number. */
async function lastIn(path: string): Promise<number> {
  const { position: { epoch }, tensors } = await readCheckpoint(
    `${path}/checkpoints/last.safetensors`,
  );
  for (const [name, values] of tensors) {
    if (values.some((value) => value !== epoch)) throw new Error(`${name} is not of ${epoch}`);
  }
  return epoch;
}

/** Raises an error unless a folder has all of a run that has ended; gives its last checkpoint. */
async function demandAll(path: string): Promise<number> {
  const rows = Deno.readTextFileSync(`${path}/metrics.jsonl`).trimEnd().split("\n");
  if (rows.length !== EPOCHS) throw new Error(`${path} has ${rows.length} epochs`);
  for (const [name, content] of filesOf(1)) {
    if (Deno.readTextFileSync(`${path}/${name}`) !== content) throw new Error(`${name} is broken`);
  }
  JSON.parse(Deno.readTextFileSync(`${path}/summary.json`));
  return await lastIn(path);
}

/** What became of a run. */
type End = "all there" | "results there" | "all elsewhere" | "given up";

/**
 * One run that has trouble from an epoch on, up to another or to its end. Raises an error where an
 * old file is not whole, or where something is not said once.
 */
async function troubled(path: string, trouble: Trouble, random: Random): Promise<End> {
  const notes: string[] = [];
  using folder = new RunFolder(path, { named: true, overwrite: false }, {
    note: (text) => void notes.push(text),
    keep: random.integer(3),
  });
  folder.start(OPTIONS);
  const { keeper } = folder;
  const begin = 2 + random.integer(EPOCHS - 3);
  const end = random.integer(2) ? begin + 1 + random.integer(EPOCHS - begin) : Infinity;
  let [suffers, there, failing, stretches] = [false, 0, false, 0];
  try {
    for (let epoch = 1; epoch <= EPOCHS; epoch++) {
      // In half of the cases, while a checkpoint is being written.
      if (epoch === begin && (trouble.waits || random.integer(2))) await keeper.settled();
      if (epoch === begin || epoch === end) {
        if (epoch === end) await trouble.end(path);
        else await trouble.begin(path, random);
        suffers = epoch === begin;
      }
      folder.append(rowOf(epoch));
      const history = Array.from({ length: epoch }, (_, i) => rowOf(i + 1));
      const best = random.integer(2) ? ["small" as const] : [];
      await keeper.save(stateAt(epoch, history), { best });
      if (epoch < begin) continue;
      await keeper.settled();
      const owed = keeper.owed.has("last.safetensors");
      if (owed && !failing) stretches++;
      failing = owed;
      if (trouble.everywhere && suffers) continue;
      if (trouble.removes && suffers) continue;
      const found = await lastIn(path);
      if (found < there) throw new Error(`the checkpoint of ${there} is lost, found ${found}`);
      there = found;
      if (!owed && there !== epoch) throw new Error(`found ${there}, said to be ${epoch}`);
    }
    const said = notes.filter((note) => note.startsWith("Cannot keep a checkpoint"));
    // The one that was being written may be another failure.
    if (said.length < stretches || said.length > stretches + 1) {
      throw new Error(`${stretches} failures were told by ${said.length} notes: ${said}`);
    }
    if (new Set(notes).size < notes.length) throw new Error(`said twice: ${notes.join("\n")}`);
    const other = notes.find((note) => !trouble.why.test(note));
    if (other !== undefined) throw new Error(`wanted ${trouble.why}, found ${other}`);
    return await finish(folder, trouble, there);
  } finally {
    if (suffers) await trouble.end(path).catch(() => {});
  }
}

/** Ends a run, and looks where its results are. */
async function finish(folder: RunFolder, trouble: Trouble, there: number): Promise<End> {
  const { path } = folder;
  let message: string;
  try {
    await folder.finish(filesOf(1), runSummary);
    // Results may fit where a checkpoint does not.
    const last = await demandAll(path);
    if (last < there) throw new Error(`the checkpoint of ${there} is lost, found ${last}`);
    return last === EPOCHS ? "all there" : "results there";
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    ({ message } = error);
  }
  if (!trouble.why.test(message)) throw new Error(`wanted ${trouble.why}, found ${message}`);
  const elsewhere = /all there is of the run is in (\S+)/.exec(message)?.[1];
  if (elsewhere === undefined) {
    if (trouble.everywhere) return "given up";
    throw new Error(`wanted another folder, found ${message}`);
  }
  if (await demandAll(elsewhere) !== EPOCHS) throw new Error("the last checkpoint is lost");
  await Deno.remove(elsewhere, { recursive: true });
  if (!trouble.removes && await lastIn(path) < there) throw new Error("the old file is broken");
  return "all elsewhere";
}

/** Does `count` runs that have one kind of trouble. */
export async function troubledRuns(
  name: string,
  { disk, count, random }: { disk: string; count: number; random: Random },
): Promise<string> {
  const ends: Record<End, number> = {
    "all there": 0,
    "results there": 0,
    "all elsewhere": 0,
    "given up": 0,
  };
  for (let i = 0; i < count; i++) {
    const path = `${disk}/run`;
    try {
      ends[await troubled(path, troubles(disk)[name], random)]++;
    } catch (error) {
      throw new Error(`${name}, run ${i}: ${error instanceof Error ? error.message : error}`, {
        cause: error,
      });
    }
    await Deno.remove(path, { recursive: true }).catch(() => {});
  }
  const found = Object.entries(ends).filter(([, n]) => n > 0).map(([end, n]) => `${n} ${end}`);
  return `${count} runs with ${name}: ${found.join(", ")}`;
}

/** Does something with a small disk, where one can be mounted. */
async function withDisk(
  work: (disk: string, isMounted: boolean) => Promise<void>,
): Promise<void> {
  const disk = await Deno.makeTempDir({ prefix: "disk-" });
  const isMounted = await run("mount", "-t", "tmpfs", "-o", "size=4m", "adjoin", disk)
    .then(() => true, () => false);
  try {
    await work(disk, isMounted);
  } finally {
    if (isMounted) await run("umount", "-l", disk);
    await Deno.remove(disk, { recursive: true });
  }
}

/** Runs in a process of its own that may open few files only. */
export async function withoutFiles(disk: string, count: number): Promise<string> {
  const script = fileURLToPath(import.meta.url);
  const flags = "--no-check -q --allow-read --allow-write";
  const line = `ulimit -n 64 && exec deno run ${flags} "$0" descriptors "$1" "$2"`;
  const { success, stdout, stderr } = await new Deno.Command("sh", {
    args: ["-c", line, script, disk, `${count}`],
  }).output();
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes).trim();
  if (!success) throw new Error(text(stderr));
  return text(stdout);
}

/**
 * Does `share` of 100 runs on full disks, and of 25 with each other trouble. Raises an `Error` where
 * something is lost, or not said once; where no disk can be mounted, which takes rights, too.
 */
export async function fullDisks(share: number, print: (line: string) => void): Promise<void> {
  const count = (all: number): number => Math.max(1, Math.round(share * all));
  const random = new Random(11, "full disks");
  await withDisk(async (disk, isMounted) => {
    const few = { disk, count: count(25), random };
    print(await troubledRuns("removed folder", few));
    print(await withoutFiles(disk, few.count));
    if (!isMounted) throw new Error("no disk can be mounted: run this as root, on Linux");
    print(await troubledRuns("full disk", { ...few, count: count(100) }));
    print(await troubledRuns("read-only disk", few));
  });
}

if (import.meta.main) {
  const [what = "1", disk, count] = Deno.args;
  if (what === "descriptors") {
    // As each run does: Deno opens a pipe for the first, and panics where it cannot.
    Deno.addSignalListener("SIGTERM", () => Deno.exit(143));
    const random = new Random(12, "file descriptors");
    console.log(await troubledRuns("no file descriptors", { disk, count: Number(count), random }));
    Deno.exit();
  } else await fullDisks(Number(what), console.log);
}
