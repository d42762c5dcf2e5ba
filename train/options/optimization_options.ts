import { BATCH_SIZES, EPOCHS } from "../../data/recipes.ts";
import { SAMPLERS } from "../../data/order.ts";
import { PRECISIONS } from "../precision.ts";
import { SCHEDULES } from "../schedule.ts";
import {
  RECIPE_BATCH_SIZES,
  RECIPE_EPOCHS,
  RECIPE_OPTIMIZERS,
  RECIPE_RATES,
  RECIPES,
} from "./authors.ts";
import type { Section } from "./option.ts";

/** Texts of `gradAccumSteps`. */
const ACCUMULATION: RegExp = /^(auto|[1-9]\d{0,8})$/;

/** Options of the optimiser, its schedule and the seed. */
export const OPTIMIZATION = [
  {
    title: "training",
    commands: ["train", "search", "compare"],
    options: [
      {
        name: "recipe",
        kind: "choice",
        choices: RECIPES,
        help:
          "how the authors trained on a data set: image size, batch, epochs, optimiser, rate and " +
          "crops; or best: what helps small networks; where no flag says otherwise",
      },
      {
        name: "epochs",
        short: "e",
        kind: "integer",
        min: 1,
        default: { recipe: RECIPE_EPOCHS, dataset: EPOCHS },
        beside: ["widthsOnly"],
        help: "how often each training image is seen",
      },
      {
        name: "batchSize",
        short: "b",
        also: ["batch"],
        kind: "integer",
        min: 1,
        default: { recipe: RECIPE_BATCH_SIZES, dataset: BATCH_SIZES },
        help: "images of a step; of each epoch, a last batch that is not full is left out",
      },
      {
        name: "lr",
        also: ["learning-rate"],
        kind: "number",
        above: 0,
        default: { recipe: RECIPE_RATES, opt: { adamw: 4e-3, sgd: 0.1 } },
        help: "learning rate, the highest of its schedule",
      },
      {
        name: "opt",
        also: ["optimizer"],
        kind: "choice",
        choices: ["sgd", "adamw"],
        default: { recipe: RECIPE_OPTIMIZERS, else: "adamw" },
        help: "optimiser",
      },
      {
        name: "sched",
        also: ["scheduler"],
        kind: "choice",
        choices: SCHEDULES,
        default: { opt: { adamw: "onecycle", sgd: "step" } },
        help: "schedule of the learning rate",
      },
      {
        name: "warmupEpochs",
        kind: "number",
        min: 0,
        default: 0,
        only: { sched: ["constant", "step", "cosine"] },
        help: "epochs over which the learning rate first rises from 0",
      },
      {
        name: "decayRate",
        kind: "number",
        above: 0,
        max: 1,
        default: 0.1,
        only: { sched: ["step"] },
        help: "factor on the learning rate at 1/3 and at 2/3 of the run",
      },
      {
        name: "momentum",
        kind: "number",
        min: 0,
        below: 1,
        default: 0.9,
        only: { sched: ["constant", "step", "cosine"] },
        help: "momentum of sgd, beta1 of adamw; onecycle has its own",
      },
      {
        name: "nesterov",
        kind: "boolean",
        only: { opt: ["sgd"] },
        help: "Nesterov's momentum",
      },
      {
        name: "weightDecay",
        also: ["wd"],
        kind: "number",
        min: 0,
        default: { opt: { adamw: 1e-2, sgd: 1e-4 } },
        help: "weight decay; decoupled for adamw",
      },
      {
        name: "normDecay",
        kind: "number",
        min: 0,
        default: 1,
        needs: ["weightDecay"],
        help: "factor of the weight decay for scales and shifts of norms and for biases; 0: none",
      },
      {
        name: "clipGrad",
        kind: "number",
        above: 0,
        otherwise: "gradients are taken as they are",
        help: "norm of all gradients together, to which larger ones are scaled down",
      },
      {
        name: "modelEmaDecay",
        kind: "number",
        min: 0,
        below: 1,
        otherwise: "no average",
        beside: ["widthsOnly"],
        help: "measure and save a moving average of the weights, with this decay",
      },
      {
        name: "gradAccumSteps",
        kind: "string",
        value: "N",
        form: { pattern: ACCUMULATION, words: "a whole number from 1 on, or auto" },
        default: "1",
        help: "parts of a batch that are computed one after the other; auto: as few as fit",
      },
      {
        name: "smoothing",
        kind: "number",
        min: 0,
        below: 1,
        default: 0,
        help: "label smoothing",
      },
      {
        name: "classWeights",
        kind: "choice",
        choices: ["none", "balanced"],
        default: "none",
        help: "balanced: the loss of an image weighs the more, the fewer its class has",
      },
      {
        name: "sampler",
        kind: "choice",
        choices: SAMPLERS,
        default: "shuffled",
        help: "images of an epoch: each once, or drawn so that classes are equally likely",
      },
    ],
  },
  {
    title: "run",
    commands: ["train", "search", "compare"],
    options: [
      {
        name: "seed",
        kind: "integer",
        min: 0,
        max: Number.MAX_SAFE_INTEGER,
        default: 0,
        help: "of weights, order, augmentation, masks and generated images",
      },
    ],
  },
  {
    title: "precision",
    commands: ["train", "search", "compare", "bench step", "bench conv"],
    options: [
      {
        name: "precision",
        kind: "choice",
        choices: PRECISIONS,
        default: "float32",
        help:
          "how values of a training step are kept: mixed keeps images and their gradients in half " +
          "floats, with a loss that is scaled; auto does so on GPUs that have them",
      },
    ],
  },
] as const satisfies readonly Section[];
