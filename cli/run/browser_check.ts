import type { Batch } from "../../data/batch.ts";
import type { Dataset } from "../../data/dataset.ts";
import type { PictureSet } from "../../data/pictures.ts";
import { parseOnnxInfo } from "../../export/onnx.ts";
import { RUNTIME } from "../../export/onnx_session.ts";
import { GpuError } from "../../kernels/gpu/gpu_error.ts";
import { networkWords, type Which } from "../../nn/which.ts";
import { VerificationError } from "../../train/errors.ts";
import { ImageWork } from "../../train/image_work.ts";
import type { Reporter, Verification } from "../../train/types.ts";
import { areEqual, compareLogits, inequality, type LogitsOf } from "../../train/verify.ts";
import type { Adapter } from "../page/network.ts";
import { equalityLine } from "../report/equality.ts";
import { BrowserSession } from "./browser_session.ts";
import { CHROMIUMS, demandRunning, installedBrowser } from "./installed_browser.ts";

/** What a file came to in a browser's WebGPU. */
export interface BrowserVerification extends Verification {
  /** The adapter in the browser's words. */
  readonly adapter: string;
}

/** Images compared at a time. */
const BATCH = 32;

/**
 * The browser that `--browser` means, which may be run; nothing where `auto` finds none, which is
 * then said. Raises a `UsageError` as {@link installedBrowser} and {@link demandRunning} do.
 */
export async function chosenBrowser(
  asked: string,
  note: (text: string) => void,
): Promise<string | undefined> {
  const browser = await installedBrowser(asked);
  if (browser !== undefined) await demandRunning(browser);
  else note(`there is no browser to check in: none of ${CHROMIUMS.join(", ")}`);
  return browser;
}

/** Opens a file in a browser; with `auto`, one that cannot run it is said and passed over. */
export async function openInBrowser(
  browser: string,
  bytes: Uint8Array,
  { asked, note }: { readonly asked: string; readonly note: (text: string) => void },
): Promise<BrowserSession | undefined> {
  try {
    return await BrowserSession.open(browser, bytes, parseOnnxInfo(bytes, "the exported network"));
  } catch (error) {
    if (asked !== "auto" || !(error instanceof GpuError)) throw error;
    note(error.message);
  }
}

/** An adapter in words. */
export function adapterWords({ name, software }: Adapter): string {
  return software ? `${name}, in software` : name;
}

/**
 * Runs a file over all validation images in a browser's WebGPU, beside the network that it was made
 * of. Raises a {@link VerificationError} where it gives other logits.
 */
export async function checkInBrowser(
  browser: string,
  { bytes, logits, which, dataset, asked, reporter }: {
    readonly bytes: Uint8Array;
    /** Those of the trained network. */
    readonly logits: LogitsOf;
    readonly which: Which;
    readonly dataset: Dataset | PictureSet;
    /** What was asked for. */
    readonly asked: string;
    readonly reporter: Pick<Reporter, "work" | "note">;
  },
): Promise<BrowserVerification | undefined> {
  const note = (text: string): void => reporter.note(text);
  const session = await openInBrowser(browser, bytes, { asked, note });
  if (!session) return undefined;
  try {
    const total = dataset.length;
    const work = new ImageWork({ work: { what: "verification in WebGPU", total }, reporter });
    const both = [logits, (batch: Batch) => session.logits(batch)] as const;
    const found = await compareLogits(both, { dataset, batch: BATCH }, work);
    const adapter = adapterWords(session.adapter);
    if (areEqual(found)) return { ...found, adapter };
    throw new VerificationError(
      `Cannot export the ${networkWords(which)}: in the WebGPU of ${browser} (${adapter}), the ` +
        `file has to give its logits ${inequality(found)}; nothing was written`,
    );
  } finally {
    await session.close();
  }
}

/** What a check in a browser came to, in a line. */
export function browserLine({ adapter, ...found }: BrowserVerification): string {
  const file = `the file in onnxruntime-web ${RUNTIME}'s WebGPU (${adapter})`;
  return equalityLine(file, "the trained network", found);
}
