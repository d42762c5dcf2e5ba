// What signals and the end of a run's time do, with a process that is not ended by them.
import { assert, assertEquals, assertThrows } from "@std/assert";
import { EXIT } from "../cli/exit.ts";
import { Stopping } from "../cli/run/stopping.ts";
import { ProgressLine } from "../cli/report/progress.ts";
import { StoppedError } from "../train/errors.ts";

/** Does `work` with a run; gives what was printed, exit codes among it. */
async function watched(
  work: (stopping: Stopping, signal: (name: Deno.Signal) => void) => void | Promise<void>,
  { minutes, settled = () => Promise.resolve() }: {
    readonly minutes?: number;
    readonly settled?: () => Promise<void>;
  } = {},
): Promise<string[]> {
  const { exit, addSignalListener, removeSignalListener } = Deno;
  const listeners = new Map<Deno.Signal, () => void>();
  const printed: string[] = [];
  Object.assign(Deno, {
    exit: (code: number) => void printed.push(`exit ${code}`),
    addSignalListener: (name: Deno.Signal, listener: () => void) => listeners.set(name, listener),
    removeSignalListener: (name: Deno.Signal) => listeners.delete(name),
  });
  try {
    const progress = new ProgressLine({
      ...{ write: () => {}, terminal: false, width: () => 80, now: () => 0, quiet: true },
    });
    using stopping = new Stopping(progress, {
      ...{ kept: () => "kept", settled, minutes },
      printError: (text) => printed.push(text.trimEnd()),
    });
    await work(stopping, (name) => listeners.get(name)?.());
    await new Promise((resolve) => setTimeout(resolve));
  } finally {
    Object.assign(Deno, { exit, addSignalListener, removeSignalListener });
  }
  assertEquals(listeners.size, 0);
  return printed;
}

const SAVING = "adjoin: interrupted; saving after this step, once more leaves at once";

Deno.test("between steps a signal stops the run, and a second one the process", async () => {
  const printed = await watched((stopping, signal) => {
    assertEquals(stopping.stopped(), false);
    signal("SIGINT");
    assertEquals([stopping.stopped(), stopping.why?.code], [true, 130]);
    signal("SIGTERM");
  });
  assertEquals(printed, [SAVING, "adjoin: ended by SIGTERM; kept", "exit 143"]);
});

Deno.test("before the first step, and in work without steps, a signal ends the process", async () => {
  const leaves = ["adjoin: interrupted; kept", "exit 130"];
  assertEquals(await watched((_, signal) => signal("SIGINT")), leaves);
  const printed = await watched((stopping, signal) => {
    stopping.stopped();
    stopping.between();
    signal("SIGINT");
  });
  assertEquals(printed, leaves);
});

Deno.test("a checkpoint that is being written is waited for, unless a second signal comes", async () => {
  let done = (): void => {};
  const settled = () => new Promise<void>((resolve) => done = resolve);
  const printed: string[] = await watched(async (_, signal) => {
    signal("SIGHUP");
    await new Promise((resolve) => setTimeout(resolve, 5));
    done();
  }, { settled });
  assertEquals(printed.at(-1), "exit 129");
  const never = () => new Promise<void>(() => {});
  const twice = await watched((_, signal) => {
    signal("SIGINT");
    signal("SIGINT");
  }, { settled: never });
  assertEquals(twice, ["adjoin: interrupted; kept", "exit 130"]);
});

Deno.test("a signal after the last step ends the run before work that it would have to wait for", async () => {
  const printed = await watched((stopping, signal) => {
    stopping.stopped();
    signal("SIGINT");
    assertThrows(() => stopping.between(), StoppedError);
  });
  assertEquals(printed, [SAVING]);
});

Deno.test("when its time is up, a run stops after a step, and finishes what is trained", async () => {
  const printed = await watched((stopping) => {
    assert(stopping.stopped());
    assertEquals(stopping.why?.code, EXIT.timeUp);
    stopping.between();
  }, { minutes: 0 });
  assertEquals(printed, []);
  await watched((stopping) => assertEquals(stopping.stopped(), false), { minutes: 10 });
});
