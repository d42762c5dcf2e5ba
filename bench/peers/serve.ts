import { type Job, time, warm } from "../timing.ts";
import type { Hello, Reply, Request, Task } from "../work.ts";

/** A task that a library is ready for. */
export interface Prepared extends Job {
  /** The sum of |result| of the last run, or its loss. */
  check(): Promise<number>;
  /** Frees its memory. */
  drop(): void;
}

function say(message: Hello | Reply): void {
  Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(message) + "\n"));
}

async function* lines(): AsyncGenerator<string> {
  let rest = "";
  for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
}

/** Says what a library is, answers requests until there are no more, then ends the process. */
export async function answerAll(
  hello: Hello,
  answer: (request: Request<Task>) => Promise<Reply>,
): Promise<never> {
  say(hello);
  for await (const line of lines()) {
    try {
      say(await answer(JSON.parse(line)));
    } catch (error) {
      say({ error: error instanceof Error ? error.message : String(error) });
    }
  }
  Deno.exit();
}

/** Answers requests for work that is made ready as a job. */
export async function serve(
  hello: Hello,
  { prepare, mostRuns }: {
    prepare: (task: Task) => Promise<Prepared>;
    /** Runs between two waits: what they give is kept until then. */
    mostRuns: number;
  },
): Promise<never> {
  let prepared: Prepared | undefined;
  let runs = 1;
  return await answerAll(hello, async (request) => {
    if (request.do === "prepare") {
      prepared?.drop();
      prepared = undefined;
      prepared = await prepare(request.task);
      runs = await warm(prepared, mostRuns);
      return { check: await prepared.check() };
    }
    if (!prepared) return { error: "nothing is prepared" };
    return { ms: await time(prepared, runs) };
  });
}

/** The sum of |values|, which does not depend on their order in memory. */
export function magnitude(values: Iterable<number>): number {
  let sum = 0;
  for (const value of values) sum += Math.abs(value);
  return sum;
}
