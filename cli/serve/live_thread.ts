/** What the thread tells. */
type Message = { readonly address?: string; readonly problem?: string; readonly ended?: true };

/** Milliseconds that its end may take. */
const PATIENCE = 3000;

/** A thread that serves the run of this process. A run goes on where it fails. */
export class LiveThread {
  readonly #worker: Worker;
  readonly #ended = Promise.withResolvers<void>();

  /** `note` is told where the page of the run in `folder` is, or why there is none. */
  constructor(folder: string, note: (text: string) => void) {
    this.#worker = new Worker(new URL("./serve_worker.ts", import.meta.url), { type: "module" });
    const fail = (reason: string): void => {
      note(`Cannot serve the run: ${reason}; the run goes on without`);
      this.#ended.resolve();
    };
    this.#worker.onmessage = ({ data }: MessageEvent<Message>) => {
      if (data.address !== undefined) note(`live page: ${data.address}`);
      else if (data.problem !== undefined) fail(data.problem);
      else this.#ended.resolve();
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      fail(event.message);
    };
    this.#worker.postMessage({ folder });
  }

  /** Lets the pages hear how the run has ended, and ends the thread. */
  async end(): Promise<void> {
    this.#worker.postMessage({ end: true });
    const late = setTimeout(() => this.#ended.resolve(), PATIENCE);
    await this.#ended.promise;
    clearTimeout(late);
    this.#worker.terminate();
  }
}
