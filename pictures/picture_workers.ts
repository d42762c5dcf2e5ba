import { fileURLToPath } from "node:url";
import { DataError } from "../data/error.ts";
import { grantingFlag, permissionIn } from "../data/missing_permission.ts";
import { printable } from "../data/printable.ts";
import type { Decoded, Inspected, PictureReply, PictureRequest } from "./picture_request.ts";
import { tellSharpFetch } from "./sharp.ts";

/** Pictures that one worker has in hand: it decodes one while the other is read. */
const IN_HAND = 2;

/** Seconds that one picture may take. */
const LONGEST = 20;

/** A picture that is wanted. */
interface Task {
  readonly request: PictureRequest;
  readonly resolve: (found: Decoded | Inspected) => void;
  readonly reject: (error: Error) => void;
  /** Whether its first worker has come to an end with it, so that now it has one to itself. */
  alone: boolean;
  /** Seconds of this process since a worker has it: the time of a process that is stopped is none. */
  age: number;
}

/** A worker and what it has in hand. */
interface Hand {
  readonly worker: Worker;
  readonly tasks: Map<number, Task>;
  ready: boolean;
}

/** The program of a worker; tests have others. */
const PROGRAM = new URL("./worker.ts", import.meta.url);

/** How pictures are decoded, apart from which. */
export interface WorkersOptions {
  /** How many there are at most. */
  readonly count: number;
  /** Seconds that one picture may take; 20 unless told. */
  readonly longest?: number;
  /** The program of a worker. */
  readonly program?: URL;
}

/**
 * Decodes pictures in workers, as many at a time as there are workers and a few more; the others
 * wait in the order in which they were asked for. Workers are started when there is work for them. A
 * picture with which a worker ends, or takes too long, gets a worker to itself before it is broken.
 */
export class PictureWorkers implements Disposable {
  readonly #count: number;
  readonly #longest: number;
  readonly #program: URL;
  readonly #hands = new Set<Hand>();
  readonly #waiting: Task[] = [];
  #ids = 0;
  #clock?: ReturnType<typeof setInterval>;
  /** Why there can be no more pictures. */
  #ended?: Error;

  constructor({ count, longest = LONGEST, program = PROGRAM }: WorkersOptions) {
    this.#count = count;
    this.#longest = longest;
    this.#program = program;
  }

  /** How many workers there are. */
  get started(): number {
    return this.#hands.size;
  }

  /** Decodes a picture. Rejects with a `DataError` where nothing can be decoded at all. */
  async decode(request: Omit<PictureRequest, "id" | "inspect">): Promise<Decoded> {
    const found = await this.#ask(request);
    if (found.kind === "inspected") throw new Error(`${request.path} was inspected, not decoded`);
    return found;
  }

  /** Tells what a file is like. Rejects as {@link decode} does. */
  async inspect(
    request: Required<Omit<PictureRequest, "id" | "cache">>,
  ): Promise<Inspected> {
    const found = await this.#ask(request);
    if (found.kind === "inspected") return found;
    if (found.kind === "picture") throw new Error(`${request.path} was decoded, not inspected`);
    return { kind: "inspected", bytes: 0, digest: "", reason: found.reason };
  }

  #ask(request: Omit<PictureRequest, "id">): Promise<Decoded | Inspected> {
    if (this.#ended) return Promise.reject(this.#ended);
    const { promise, resolve, reject } = Promise.withResolvers<Decoded | Inspected>();
    const id = this.#ids++;
    this.#waiting.push({ request: { id, ...request }, resolve, reject, alone: false, age: 0 });
    this.#handOut();
    return promise;
  }

  /** Ends all workers, whatever they do; pictures that are still wanted are refused. */
  [Symbol.dispose](): void {
    this.#end(new Error("Cannot decode pictures: their workers have ended"));
  }

  #end(reason: Error): void {
    this.#ended ??= reason;
    const tasks = [...this.#hands].flatMap((hand) => [...hand.tasks.values()]);
    for (const { worker } of this.#hands) worker.terminate();
    this.#hands.clear();
    clearInterval(this.#clock);
    for (const { reject } of [...tasks, ...this.#waiting.splice(0)]) reject(this.#ended);
  }

  /** The worker that takes a task next, if any can: the one with the fewest tasks. */
  #free({ alone }: Task): Hand | undefined {
    const most = alone ? 1 : IN_HAND;
    const free = [...this.#hands].filter(({ ready, tasks }) =>
      ready && tasks.size < most && ![...tasks.values()].some(({ alone }) => alone)
    );
    return free.sort((a, b) => a.tasks.size - b.tasks.size)[0];
  }

  #handOut(): void {
    while (this.#waiting.length) {
      const [task] = this.#waiting;
      const hand = this.#free(task);
      if (!hand) break;
      this.#waiting.shift();
      task.age = 0;
      hand.tasks.set(task.request.id, task);
      hand.worker.postMessage(task.request);
    }
    const starting = [...this.#hands].some(({ ready }) => !ready);
    // One after the other: the first may have to fetch the decoder.
    if (this.#waiting.length && !starting && this.#hands.size < this.#count) this.#start();
    const busy = [...this.#hands].some(({ tasks }) => tasks.size);
    if (busy) this.#clock ??= setInterval(() => this.#tick(), 1000);
    else {
      clearInterval(this.#clock);
      this.#clock = undefined;
    }
  }

  #start(): void {
    if (!this.#hands.size) tellSharpFetch();
    const worker = new Worker(this.#program, { type: "module" });
    const hand: Hand = { worker, tasks: new Map(), ready: false };
    this.#hands.add(hand);
    worker.onmessage = ({ data }: MessageEvent<PictureReply>) => this.#hear(hand, data);
    worker.onerror = (event) => {
      // Else the error would end the whole program.
      event.preventDefault();
      this.#fail(hand, event.message);
    };
  }

  #hear(hand: Hand, reply: PictureReply): void {
    if (!this.#hands.has(hand)) return;
    if (reply.kind === "unusable") {
      return this.#end(new DataError(reply.message, { cause: new Error(reply.cause) }));
    }
    if (reply.kind === "failed") return this.#fail(hand, reply.message);
    if (reply.kind === "ready") hand.ready = true;
    else {
      hand.tasks.get(reply.id)?.resolve(reply.decoded);
      hand.tasks.delete(reply.id);
    }
    this.#handOut();
  }

  #fail(hand: Hand, message: string): void {
    const missing = permissionIn(message);
    if (missing) {
      // The program of a worker is many files, all in the folder of this one.
      const granted = { ...missing, what: fileURLToPath(new URL("../", import.meta.url)) };
      const problem = "Cannot decode pictures: no worker starts, as Deno was started without the " +
        `permission to read its program; add ${grantingFlag(granted)}`;
      return this.#end(new DataError(problem, { cause: new Error(message) }));
    }
    this.#replace(hand, `its decoder failed: ${printable(message, 200)}`);
  }

  /** Ends a worker that has failed; what it had in hand is tried once more, or broken. */
  #replace(hand: Hand, reason: string): void {
    if (!this.#hands.delete(hand)) return;
    hand.worker.terminate();
    if (!hand.ready) {
      return this.#end(new Error(`Cannot decode pictures: no worker starts, as ${reason}`));
    }
    for (const task of hand.tasks.values()) {
      if (task.alone) task.resolve({ kind: "broken", reason });
      else this.#waiting.unshift(Object.assign(task, { alone: true }));
    }
    this.#handOut();
  }

  #tick(): void {
    for (const hand of [...this.#hands]) {
      const late = [...hand.tasks.values()].filter((task) => ++task.age > this.#longest);
      if (late.length) this.#replace(hand, `took longer than ${this.#longest} s`);
    }
  }
}
