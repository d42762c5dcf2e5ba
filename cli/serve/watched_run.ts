import { reportOf } from "../report_page/report_of.ts";
import { workOf } from "../report_page/read_report.ts";
import type { ReportData } from "../report_page/report_data.ts";
import { livePage } from "./live_page.ts";
import { PROGRESS_FILE } from "../run/replacing.ts";
import { readProgress, type ShownProgress } from "./live_progress.ts";

/** What is told of a run as often as it changes. */
export interface RunState {
  /** Grows with each change of the page. */
  readonly version: number;
  readonly status: ReportData["status"];
  readonly progress?: ShownProgress;
}

/** Milliseconds from one drawing of the page to the next, at least. */
const DRAWN_APART = 2000;

/** A page that was drawn. */
interface Drawn {
  readonly version: number;
  readonly html: string;
  /** Names of the files that it links to. */
  readonly files: ReadonlySet<string>;
  readonly at: number;
}

/** The folder of a run or of a comparison, watched: its page, drawn anew where its files have changed. */
export class WatchedRun {
  readonly #folder: string;
  readonly #now: () => number;
  #version = 0;
  #seen = "";
  #status: ReportData["status"] = "running";
  #drawn?: Drawn;
  #drawing?: Promise<Drawn>;

  constructor(folder: string, now: () => number = () => performance.now()) {
    this.#folder = folder;
    this.#now = now;
  }

  /** Names, sizes and times of the files that the page is made of. */
  async #signature(): Promise<string> {
    const work = workOf(this.#folder);
    const found: string[] = [work];
    for await (const { name, isFile } of Deno.readDir(work)) {
      if (!isFile || name === PROGRESS_FILE || name.endsWith(".tmp")) continue;
      const info = await Deno.stat(`${work}/${name}`).catch(() => undefined);
      if (info) found.push(`${name} ${info.size} ${info.mtime?.getTime()}`);
    }
    return found.toSorted().join("\n");
  }

  async #progress(): Promise<ShownProgress | undefined> {
    const path = `${workOf(this.#folder)}/${PROGRESS_FILE}`;
    const text = await Deno.readTextFile(path).catch(() => "");
    return readProgress(text);
  }

  /** Looks at the folder: how the run stands. Raises a `DataError` where there is none. */
  async look(): Promise<RunState> {
    const seen = await this.#signature().catch(() => this.#seen);
    if (seen !== this.#seen || this.#status === "running") {
      const before = this.#status;
      if (seen !== this.#seen || !await this.#isHeld()) await this.#readStatus();
      if (seen !== this.#seen || this.#status !== before) this.#version++;
      this.#seen = seen;
    }
    const running = this.#status === "running";
    const progress = running ? await this.#progress() : undefined;
    return { version: this.#version, status: this.#status, ...progress ? { progress } : {} };
  }

  #isHeld(): Promise<boolean> {
    return import("../run/held_file.ts").then(({ isHeld }) =>
      isHeld(`${workOf(this.#folder)}/config.json`)
    );
  }

  async #readStatus(): Promise<void> {
    const { readReport } = await import("../report_page/read_report.ts");
    this.#status = (await readReport(this.#folder)).status;
  }

  async #draw(): Promise<Drawn> {
    const version = this.#version;
    const { html, data } = await reportOf(this.#folder);
    this.#status = data.status;
    return {
      version,
      html: livePage(html, { version, status: data.status }),
      files: new Set(data.files.map(({ name }) => name)),
      at: this.#now(),
    };
  }

  async #current(): Promise<Drawn> {
    const drawn = this.#drawn;
    const recent = drawn !== undefined && this.#now() - drawn.at < DRAWN_APART &&
      this.#status === "running";
    if (drawn && (drawn.version === this.#version || recent)) return drawn;
    this.#drawing ??= this.#draw().finally(() => this.#drawing = undefined);
    return this.#drawn = await this.#drawing;
  }

  /** The page as it is now, or as it was a moment ago. */
  async page(): Promise<string> {
    return (await this.#current()).html;
  }

  /** The path of a file that the page links to; nothing for any other name. */
  async file(name: string): Promise<string | undefined> {
    const { files } = await this.#current();
    return files.has(name) ? `${workOf(this.#folder)}/${name}` : undefined;
  }
}
