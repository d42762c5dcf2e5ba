// Processes that save are killed at random instants; what they leave has to be a whole run.
//   deno run -A tests/torture/killed.ts [SHARE]
import { fileURLToPath } from "node:url";
import { readCheckpoint } from "../../cli/run/checkpoint_files.ts";
import { isCheckpointName } from "../../cli/run/checkpoint_names.ts";
import { findRun } from "../../cli/run/found_run.ts";
import { isReplacing, statOf } from "../../cli/run/replacing.ts";
import { isTemporary } from "../../cli/run/whole_file.ts";
import { DataError } from "../../data/error.ts";
import { Random } from "../../data/random.ts";
import type { TrainingState } from "../../train/resume/training_state.ts";
import { LOCK } from "../tasks.ts";
import { filesOf } from "./saving_run.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const PROCESS = fileURLToPath(new URL("./saving_run.ts", import.meta.url));

/** Kills that leave one folder, before another one is used. */
const KILLS_OF_A_FOLDER = 25;

/** Who kills when. */
interface Kill {
  /** States that are saved before it; 0 where it comes at any time from the start on. */
  readonly after: number;
  /** Milliseconds from then. */
  readonly wait: number;
}

/** Draws a moment: most of them a state or two after the start, while the next is being saved. */
function drawn(random: Random): Kill {
  if (random.integer(8) === 0) return { after: 0, wait: random.integer(600) };
  return { after: 1 + random.integer(4), wait: random.uniform() * 12 };
}

/** Lets a process save until it is killed; gives the last number that it printed, 0 for none. */
async function killedProcess(what: string, path: string, kill: Kill): Promise<number> {
  await using child = new Deno.Command("deno", {
    args: ["run", "-q", "--no-check", "--allow-read", "--allow-write", PROCESS, what, path],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const errors = new Response(child.stderr).text();
  const numbers: number[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  const killIn = (milliseconds: number): void => {
    timer ??= setTimeout(() => {
      try {
        child.kill("SIGKILL");
      } catch { /* It has ended. */ }
    }, milliseconds);
  };
  if (kill.after === 0) killIn(kill.wait);
  let text = "";
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    numbers.splice(0, Infinity, ...text.split("\n").slice(0, -1).map(Number));
    if (numbers.length >= kill.after) killIn(kill.wait);
  }
  clearTimeout(timer);
  const { signal, code } = await child.status;
  if (signal !== "SIGKILL") throw new Error(`a process ended by itself: ${code}, ${await errors}`);
  await errors;
  return numbers.at(-1) ?? 0;
}

/** Raises an error unless all values of a state are the number of its epoch. */
function demandOne({ position: { epoch }, tensors }: TrainingState, file: string): void {
  for (const [name, values] of tensors) {
    const other = values.find((value) => value !== epoch);
    if (other !== undefined) throw new Error(`${file} of ${epoch} has ${other} in ${name}`);
  }
}

function namesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name);
}

/** The epoch of the last state in a folder, all of whose checkpoints have to be whole; 0 for none. */
async function savedIn(path: string): Promise<number> {
  let work: string;
  let epoch: number;
  try {
    const found = await findRun(path);
    ({ work } = found);
    ({ position: { epoch } } = found.state);
    demandOne(found.state, found.file);
    if (found.history.length !== epoch) {
      throw new Error(`${found.file} of ${epoch} has ${found.history.length} epochs`);
    }
  } catch (error) {
    const isNone = error instanceof DataError &&
      /found (a (run|folder) without|neither)/.test(error.message);
    if (isNone) return 0;
    throw error;
  }
  const folder = `${work}/checkpoints`;
  const names = namesIn(folder);
  for (const name of names.filter(isCheckpointName)) {
    demandOne(await readCheckpoint(`${folder}/${name}`), name);
  }
  const others = names.filter((name) => !isCheckpointName(name));
  const left = [...others, ...namesIn(work).filter(isTemporary)];
  if (!left.every(isTemporary) || left.length > 2) throw new Error(`found ${left} in ${path}`);
  return epoch;
}

/** Kills `count` processes that save states, and demands no more loss than that of one interval. */
export async function killedWhileSaving(
  dir: string,
  count: number,
  random: Random,
): Promise<string> {
  let [path, saved, printed, lost, fresh, atOnce] = [dir, 0, 0, 0, 0, 0];
  for (let i = 0; i < count; i++) {
    if (i % KILLS_OF_A_FOLDER === 0) [path, saved, printed] = [`${dir}/${i}`, 0, 0];
    const before = saved;
    const kill = drawn(random);
    const last = await killedProcess("save", path, kill);
    if (last && last <= before) throw new Error(`${path} began again at ${last}, had ${before}`);
    if (last) printed = last;
    saved = await savedIn(path);
    if (saved < before || saved < printed - 1) {
      throw new Error(`${path} has ${saved}, had ${before} and then ${printed}`);
    }
    if (saved < printed) lost++;
    if (saved === printed) atOnce++;
    if (saved === 0) fresh++;
  }
  return `${count} kills while saving: the last state ${atOnce} times, the one before ${lost} ` +
    `times, none yet ${fresh} times`;
}

/** The number of the run that is whole in a folder. */
function wholeRun(dir: string): number {
  const text = (name: string): string => Deno.readTextFileSync(`${dir}/${name}`);
  const { seed } = JSON.parse(text("config.json"));
  if (JSON.parse(text("summary.json")).seed !== seed) throw new Error(`${dir} is of two runs`);
  for (const [name, content] of filesOf(seed)) {
    if (text(name) !== content) throw new Error(`${dir}/${name} is of another run than ${seed}`);
  }
  const wanted = [...filesOf(seed).keys()].length + 4;
  const names = namesIn(dir).filter((name) => !/^(unfinished|replacing)$/.test(name));
  if (names.filter((name) => !isTemporary(name)).length !== wanted) {
    throw new Error(`${dir} has ${names}`);
  }
  return seed;
}

/** Kills `count` processes that replace one run by the next, and demands a whole run after each. */
export async function killedWhileReplacing(
  dir: string,
  count: number,
  random: Random,
): Promise<string> {
  let [path, run, within, unfinished] = [dir, 0, 0, 0];
  for (let i = 0; i < count; i++) {
    if (i % KILLS_OF_A_FOLDER === 0) [path, run] = [`${dir}/${i}`, 0];
    const kill = drawn(random);
    const last = Math.floor(await killedProcess("replace", path, kill));
    const replacing = isReplacing(path);
    if (replacing) within++;
    if (statOf(`${path}/unfinished`)) unfinished++;
    const whole = replacing ? `${path}/replacing` : path;
    const found = statOf(`${whole}/summary.json`) ? wholeRun(whole) : 0;
    if (found < Math.max(run, last)) throw new Error(`${path} has ${found}, had ${run}, ${last}`);
    run = found;
    for (const folder of [path, `${path}/unfinished`, `${path}/replacing`]) {
      const own = `${folder}/checkpoints`;
      for (const name of statOf(own) ? namesIn(own).filter(isCheckpointName) : []) {
        demandOne(await readCheckpoint(`${own}/${name}`), name);
      }
    }
  }
  return `${count} kills while replacing: ${within} within a replacement, ${unfinished} before it`;
}

const TRAIN = [
  ...["--train-size", "64", "--val-size", "16", "--batch-size", "8", "--epochs", "4"],
  ...["--model", "resnet8", "--stem", "cifar", "--checkpoint-steps", "3", "--quiet"],
];

/** Trains, and kills that after some time, unless it has ended; gives whether it has. */
async function trained(args: readonly string[], milliseconds?: number): Promise<boolean> {
  await using child = new Deno.Command("deno", {
    args: ["run", "-q", "--no-check", "--allow-all", LOCK, "cli/main.ts", "train", ...args],
    cwd: ROOT,
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const errors = new Response(child.stderr).text();
  const timer = milliseconds === undefined
    ? undefined
    : setTimeout(() => child.kill("SIGKILL"), milliseconds);
  const { code, signal } = await child.status;
  clearTimeout(timer);
  if (code !== 0 && signal !== "SIGKILL") {
    throw new Error(`train ${args.join(" ")}: ${await errors}`);
  }
  await errors;
  return code === 0;
}

async function digest(path: string): Promise<string> {
  const hashes = ["base", "small"].map(async (which) => {
    const bytes = await Deno.readFile(`${path}/${which}.safetensors`);
    return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
  });
  return (await Promise.all(hashes)).join();
}

/** Kills `count` runs that train, goes on with them, and demands the networks of one that was not. */
export async function killedTraining(dir: string, count: number, random: Random): Promise<string> {
  const started = performance.now();
  await trained([...TRAIN, "--output", `${dir}/straight`]);
  const straight = await digest(`${dir}/straight`);
  const whole = performance.now() - started;
  let kills = 0;
  for (let i = 0; i < count; i++) {
    const path = `${dir}/${i}`;
    // At last, one is let alone.
    for (let own = 0;; own++) {
      const there = await savedPosition(path);
      const args = there
        ? ["--resume", path, "--quiet"]
        : [...TRAIN, "--output", path, "--overwrite"];
      if (await trained(args, own < 4 ? whole * random.uniform() : undefined)) break;
      const now = await savedPosition(path);
      if (now < there) throw new Error(`${path} was at ${there}, is at ${now}`);
      kills++;
    }
    if (await digest(path) !== straight) throw new Error(`${path} has other networks`);
  }
  return `${count} runs of train, killed ${kills} times in all: the networks of one that was not`;
}

/** Steps of a run up to its last checkpoint; 0 where there is none. */
async function savedPosition(path: string): Promise<number> {
  try {
    const { state: { position: { epoch, step } } } = await findRun(path);
    return epoch * 8 + step;
  } catch (error) {
    if (error instanceof DataError) return 0;
    throw error;
  }
}

/** Does `share` of 1,000 kills. Raises an `Error` for what is not a whole run afterwards. */
export async function killed(share: number, print: (line: string) => void): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "killed-" });
  try {
    const random = new Random(9, "kills");
    const kills = Math.max(4, Math.round(1000 * share));
    const replacing = Math.ceil(kills / 4);
    print(await killedWhileSaving(`${dir}/save`, kills - replacing, random));
    print(await killedWhileReplacing(`${dir}/replace`, replacing, random));
    print(await killedTraining(`${dir}/train`, Math.ceil(10 * share), random));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

if (import.meta.main) await killed(Number(Deno.args[0] ?? 1), console.log);
