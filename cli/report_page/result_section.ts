import { listed, percent, plural } from "../../data/words.ts";
import { isWhich, networkWords } from "../../nn/which.ts";
import { trainedEpochs } from "../../train/resume/saving.ts";
import type { Verification } from "../../train/types.ts";
import { validationWord } from "../report/header.ts";
import { LAST } from "../run/checkpoint_names.ts";
import { goOnCommand } from "../run/go_on.ts";
import { difference, duration, fileSize, grouped, scaled } from "../text.ts";
import { coloursOf } from "./colours.ts";
import { type Markup, markup, type Piece, shown } from "./markup.ts";
import type { ReportData, ReportNetwork, RunReport, Status } from "./report_data.ts";

/** What a network is called in a sentence. */
function called(name: string): string {
  return `the ${isWhich(name) ? networkWords(name) : name}`;
}

/** How many times smaller something is: `3.9 times`. */
function times(whole: number, part: number): string {
  const ratio = whole / part;
  return `${ratio < 10 ? ratio.toFixed(1) : Math.round(ratio)} times`;
}

/** Whether it is smaller by as much as is shown: 1.0 times is none. */
function isSmaller(whole: number, part: number): boolean {
  return whole >= 1.05 * part;
}

/** The difference of two accuracies in words. */
function pointsWords(top1: number, base: number): string {
  const points = 100 * (top1 - base);
  if (Math.abs(points) < 0.05) return "as many as";
  return `${Math.abs(points).toFixed(1)} points ${points < 0 ? "less" : "more"} than`;
}

/** The result in a sentence. */
function answer({ networks, kept, status }: RunReport): Piece {
  const word = validationWord(kept?.test ?? false);
  const base = networks.find(({ name }) => name === "base");
  const small = networks.filter(({ name, top1 }) => name !== "base" && top1 !== undefined);
  if (status !== "finished") return undefined;
  if (base?.top1 === undefined || small.length === 0) {
    const [only] = networks.filter(({ top1 }) => top1 !== undefined);
    return only?.top1 === undefined
      ? undefined
      : markup`<p class="answer">${`${capital(called(only.name))} gets ${
        percent(only.top1)
      } of the ${word} images right.`}</p>`;
  }
  const { top1: whole, macs, params } = base;
  const sentences = small.map(({ name, top1 = NaN, macs: less, params: fewer }) => {
    const costs = [
      ...macs && less && isSmaller(macs, less)
        ? [`${times(macs, less)} fewer multiply-accumulates`]
        : [],
      ...params && fewer && isSmaller(params, fewer)
        ? [`${times(params, fewer)} fewer parameters`]
        : [],
    ];
    return `${capital(called(name))} gets ${percent(top1)} of the ${word} images right, ` +
      `${pointsWords(top1, whole)} the base network` +
      (costs.length ? `, with ${listed(costs)}.` : ".");
  });
  return markup`<p class="answer">${sentences.join(" ")}</p>`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** A fact of a network with what the base network has over it. */
function fact(
  name: string,
  value: number | undefined,
  words: (value: number) => string,
  base?: number,
): Piece {
  if (value === undefined) return undefined;
  const less = base !== undefined && isSmaller(base, value)
    ? markup`
      <span class="ratio">÷ ${times(base, value).replace(" times", "")}</span>
    `
    : undefined;
  return markup`
    <dt>${name}</dt>
    <dd>${words(value)}${less}</dd>
  `;
}

function card(
  network: ReportNetwork,
  { base, word, colour }: {
    readonly base?: ReportNetwork;
    readonly word: string;
    readonly colour: string;
  },
): Markup {
  const { name, top1, top5, params, macs, bytes, latency } = network;
  const of = network === base ? undefined : base;
  const points = of?.top1 === undefined || top1 === undefined ? 0 : 100 * (top1 - of.top1);
  const delta = Math.abs(points) < 0.05
    ? ""
    : `, ${points < 0 ? "−" : "+"}${Math.abs(points).toFixed(1)} points`;
  return markup`
    <article class="network" style="--own: ${colour}">
      <h3>${shown(name)}</h3>
      <p class="top1">${top1 === undefined ? "–" : percent(top1)}</p>
      <p class="of">${`of the ${word} images${delta}`}</p>
      <dl>${[
    fact("parameters", params, grouped, of?.params),
    fact("MACs", macs, scaled, of?.macs),
    fact("file", bytes, fileSize, of?.bytes),
    fact("latency", latency, (ms) => `${ms.toPrecision(3)} ms`, of?.latency),
    fact("top-5", top5, percent),
  ]}</dl>
    </article>
  `;
}

/** A proof without the name of the network. */
function proofWords({ maxDifference, top1Agreement, images }: Verification, word: string): string {
  const scores = maxDifference === 0
    ? "all class scores are equal to the last bit"
    : `class scores differ by at most ${difference(maxDifference)}`;
  return `on ${grouped(images)} ${word} images ${scores}, and ${percent(top1Agreement)} get the ` +
    `same class`;
}

/** What was proven of the small networks, in plain words; alike of several once. */
function proof({ networks, kept, summary }: RunReport): Piece {
  const word = validationWord(kept?.test ?? false);
  const proofs = new Map<string, string[]>();
  for (const { name, verify } of networks) {
    if (!verify) continue;
    const words = proofWords(verify, word);
    proofs.set(words, [...proofs.get(words) ?? [], called(name)]);
  }
  if (proofs.size === 0) return undefined;
  const when = summary?.finetuneEpochs ? ", before its fine-tuning," : " as saved";
  return markup`<div class="proof">${
    [...proofs].map(([words, names]) =>
      markup`<p>${
        `Verified for ${
          listed(names)
        }: the network${when} is the one that was trained inside the ` +
        `base network; ${words}.`
      }</p>`
    )
  }</div>`;
}

/** How a run that was stopped is gone on with, where it has a checkpoint. */
function goOn({ status, files, folder, config }: RunReport): Piece {
  const resumable = status === "stopped" &&
    files.some(({ name }) => name === `checkpoints/${LAST}`);
  if (!resumable || typeof config.command !== "string") return undefined;
  return markup`<p>To go on with it:</p><pre>${goOnCommand(config.command, folder)}</pre>`;
}

/** The word for a status in the head of the page. */
export function stateMark(status: Status): Markup {
  return markup`<span class="state ${status}">${status}</span>`;
}

/** How far a run has come that has not ended. */
function positionWords({ history, status }: RunReport): string[] {
  const last = history.at(-1);
  if (!last) return ["no epoch has ended yet"];
  const phase = last.search ? "the search" : "the training";
  const left = last.etaSeconds;
  return [
    `epoch ${last.epoch} of ${last.epochs} of ${phase}`,
    ...status === "running" && typeof left === "number" && left > 0
      ? [`about ${duration(left)} left after it`]
      : [],
  ];
}

/** What was done, where, and how long it took. */
function lead(report: RunReport): string {
  const { summary, config, status, history } = report;
  const epochs = summary?.epochs ?? trainedEpochs(history).length;
  return [
    ...status === "finished" ? [plural(epochs, "epoch")] : positionWords(report),
    ...summary?.seconds === undefined ? [] : [`${duration(summary.seconds)} in all`],
    ...summary?.adapter === undefined ? [] : [shown(summary.adapter)],
    ...typeof config.seed === "number" ? [`seed ${config.seed}`] : [],
  ].join(" · ");
}

/** The head of a report: what it is of, and how far that has come. */
export function head(
  { status, name }: Pick<ReportData, "status" | "name">,
  { title, lead }: { readonly title: string; readonly lead: string },
): Markup {
  return markup`<p class="quiet">${shown(name)}</p>
<h1 id="result-title">${shown(title, 120)}${stateMark(status)}</h1>
<p class="lead">${lead}</p>`;
}

/** The result of a run in one glance: its networks, what they can do and take, and the proof. */
export function resultSection(report: RunReport, links: Piece): Markup {
  const { networks, kept, title } = report;
  const word = validationWord(kept?.test ?? false);
  const colour = coloursOf(networks.map(({ name }) => name));
  const base = networks.find(({ name }) => name === "base");
  return markup`
    <section id="result" aria-labelledby="result-title">
    ${head(report, { title, lead: lead(report) })}
    ${answer(report)}
    ${goOn(report)}
    <div class="networks">${
    networks.map((network) => card(network, { base, word, colour: colour(network.name) }))
  }</div>
    ${proof(report)}
    ${links}
    </section>
  `;
}
