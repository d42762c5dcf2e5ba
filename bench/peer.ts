import { messageOf } from "../data/message_of.ts";
import type { Checked, Hello, LoaderTask, Request, Task } from "./work.ts";

/** A library that is given the same work as the others. */
export interface Peer extends Hello {
  /** Whether it still takes requests. */
  readonly alive: boolean;
  /**
   * Compiles and warms up a task; gives what all peers must agree on. One with a process of its own
   * ends it after `limit` milliseconds.
   */
  prepare(task: Task, limit?: number): Promise<Checked>;
  /** Milliseconds of one run of the task; `limit` as above. */
  run(limit?: number): Promise<number>;
  /** Ends it. */
  close(): Promise<void>;
}

/** How to start a peer that has a process of its own. */
export interface PeerCommand {
  /** What it is called where it is missing. */
  readonly name: string;
  /** Programs to try, one after the other. */
  readonly programs: readonly string[];
  readonly args: readonly string[];
  /** Variables of its environment beside those that are there. */
  readonly env?: Readonly<Record<string, string>>;
  /** Where it is started, if not where its script lies. */
  readonly cwd?: URL;
}

async function* lines(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
  yield rest;
}

/** A peer in a process of its own: requests in, answers out, a line of JSON each. */
export class ProcessPeer implements Peer {
  readonly name: string;
  readonly version: string;
  readonly device: string;
  readonly #connection: Connection;
  #ended = false;

  private constructor({ name, version, device }: Hello, connection: Connection) {
    this.name = name;
    this.version = version;
    this.device = device;
    this.#connection = connection;
  }

  /**
   * Starts the first program that works. Raises an `Error` with the reason when none does. One that
   * says nothing within `limit` milliseconds is ended.
   */
  static async start(command: PeerCommand, folder: URL, limit = Infinity): Promise<ProcessPeer> {
    const { programs } = command;
    let reason = "no program";
    for (const program of programs) {
      let connection: Connection | undefined;
      try {
        connection = new Connection(program, command, folder);
        const hello = await within(limit, connection);
        const [name, version, device] = ["name", "version", "device"].map((key) => hello[key]);
        return new ProcessPeer(
          { name: String(name), version: String(version), device: String(device) },
          connection,
        );
      } catch (error) {
        reason = messageOf(error);
        await connection?.close();
      }
    }
    throw new Error(reason);
  }

  async prepare(task: Task | LoaderTask, limit?: number): Promise<Checked> {
    const reply = await this.#ask({ do: "prepare", task }, limit);
    const { bytes } = reply;
    return {
      check: this.#number(reply, "check"),
      ...typeof bytes === "number" ? { bytes } : {},
    };
  }

  async run(limit?: number): Promise<number> {
    return this.#number(await this.#ask({ do: "run" }, limit), "ms");
  }

  get alive(): boolean {
    return !this.#ended;
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  /** The answer to a request. A process that takes longer than `limit` milliseconds is ended. */
  async #ask(
    request: Request<Task | LoaderTask>,
    limit = Infinity,
  ): Promise<Record<string, unknown>> {
    try {
      return await within(limit, this.#connection, request);
    } catch (error) {
      this.#ended = true;
      throw error;
    }
  }

  #number(reply: Readonly<Record<string, unknown>>, key: "check" | "ms"): number {
    const found = reply[key];
    if (typeof found === "number") return found;
    throw new Error(String(reply.error ?? "an answer that makes no sense"));
  }
}

/** What a process says, to a request if there is one; it is ended after `limit` milliseconds. */
async function within(
  limit: number,
  connection: Connection,
  request?: Request<Task | LoaderTask>,
): Promise<Record<string, unknown>> {
  let late = false;
  const end = (): void => {
    late = true;
    connection.kill();
  };
  const timer = Number.isFinite(limit) ? setTimeout(end, limit) : undefined;
  try {
    if (request) await connection.say(request);
    return await connection.hear();
  } catch (error) {
    if (late) throw new Error(`no answer within ${Number((limit / 1000).toPrecision(2))} s`);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** A child process and its streams. */
class Connection {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #output: AsyncGenerator<string>;
  readonly #errors: Promise<string>;

  constructor(program: string, { args, env, cwd }: PeerCommand, folder: URL) {
    this.#child = new Deno.Command(program, {
      args: [...args],
      cwd: cwd ?? folder,
      env: { NO_COLOR: "1", ...env },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#output = lines(this.#child.stdout);
    this.#errors = complaint(lines(this.#child.stderr));
  }

  async say(request: Request): Promise<void> {
    await this.#input.write(new TextEncoder().encode(JSON.stringify(request) + "\n"));
  }

  /** The next answer; other output is passed over. Raises an `Error` when the process has ended. */
  async hear(): Promise<Record<string, unknown>> {
    while (true) {
      const { value, done } = await this.#output.next();
      if (done) throw new Error(await this.#errors || "its process ended");
      if (!value.startsWith("{")) continue;
      const message: unknown = JSON.parse(value);
      if (message instanceof Object) return { ...message };
    }
  }

  /** Ends the process at once. */
  kill(): void {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }

  async close(): Promise<void> {
    await this.#input.close().catch(() => {});
    const timer = setTimeout(() => this.kill(), 3000);
    await this.#child.status;
    clearTimeout(timer);
    await this.#output.return(undefined);
    await this.#errors;
  }
}

/** The first line that names an error, else the last that says something. */
async function complaint(all: AsyncIterable<string>): Promise<string> {
  let found = "";
  let last = "";
  for await (const line of all) {
    if (line.trim()) last = line.trim();
    if (/^(error\b|\w*Error:)/.test(line)) found ||= line.trim();
  }
  return found || last;
}
