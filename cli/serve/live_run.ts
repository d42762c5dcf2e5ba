import type { KeptFolder } from "../run/kept_folder.ts";
import { type LiveProgress, ProgressFile } from "./live_progress.ts";
import type { LiveThread } from "./live_thread.ts";

/** What others see of a run while it goes on: its progress in a file, and its page where it is served. */
export class LiveRun {
  readonly #folder: KeptFolder;
  readonly #file: ProgressFile;
  readonly #serve: boolean;
  readonly #note: (text: string) => void;
  #thread?: Promise<LiveThread>;

  /** With `serve` there is a page, whose address `note` is told. */
  constructor(
    folder: KeptFolder,
    { serve, note }: { readonly serve: boolean; readonly note: (text: string) => void },
  ) {
    this.#folder = folder;
    this.#file = new ProgressFile(() => folder.writes);
    this.#serve = serve;
    this.#note = note;
  }

  /** Raises a `UsageError` where the page is wanted and Deno may not listen. */
  async demand(): Promise<void> {
    if (!this.#serve) return;
    const { demandListening } = await import("./permission.ts");
    await demandListening();
  }

  /** The folder is there. */
  begin(): void {
    if (!this.#serve) return;
    this.#thread ??= import("./live_thread.ts").then(({ LiveThread }) =>
      new LiveThread(this.#folder.path, this.#note)
    );
  }

  /** Takes note of progress. */
  tell(found: LiveProgress): void {
    if (this.#folder.started) this.#file.tell(found);
  }

  /** There will be no more progress: removes its file. */
  async settle(): Promise<void> {
    await this.#file.end();
  }

  /** The run has ended, well or not: pages hear of it. */
  async end(): Promise<void> {
    await this.settle();
    await (await this.#thread)?.end();
  }
}
