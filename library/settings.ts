// Written by `deno task options` from the tables in train/options/.

/** Options of `train()` and `search()`, with the names and defaults of the command line. */
export interface CommonSettings {
  /** Give the base network no gradient of the KL term. With mode adjoined alone. */
  readonly detach?: boolean;
  /**
   * Which filters of init, or of a model in a file, the small network keeps: the first, or by
   * norms of filters, scales of norms, or gradients. Default: l2 of given weights.
   */
  readonly importance?: "first" | "l1" | "l2" | "norm" | "taylor";
  /**
   * Training batches on which the small network's batch norms are estimated at the start.
   * Default: 16 where given weights are cut, else 0.
   */
  readonly bnBatches?: number;
  /** The part of each masked kernel's taps that is zeroed besides. Default: 0. */
  readonly maskingFactor?: number;
  /** Dropout: the share of what the classifier reads that training drops. Default: 0. */
  readonly drop?: number;
  /**
   * Stochastic depth: how often training drops the branch of the last residual block, growing
   * linearly from 0 at the first. Default: 0.
   */
  readonly dropPath?: number;
  /**
   * The authors' form of ResNet, or torchvision's resnet18, 34, 50, 101 and 152. Default:
   * xresnet.
   */
  readonly variant?: "xresnet" | "torchvision";
  /**
   * Three convolutions with stride and pool (xresnet), or one for CIFAR's size. Default: xresnet
   * generated authors, else that of model and variant.
   */
  readonly stem?: "authors" | "cifar";
  /** The first stage that is masked; all before it is whole in both networks. Default: 2. */
  readonly maskFrom?: number;
  /** Whether layers before the first masked one run once, or for each network. Default: shared. */
  readonly trunk?: "shared" | "separate";
  /** Numbers of filters are multiples of it, as far as there are so many. Default: 1. */
  readonly roundTo?: number;
  /**
   * Weight of the divergence over a run: min(4 t^2, 1) for each epoch, 1 throughout, or rising
   * over the first quarter. With mode adjoined alone. Default: authors.
   */
  readonly klSchedule?: "authors" | "constant" | "ramp";
  /** Factor on that weight. With mode adjoined or distill alone. Default: 1. */
  readonly klWeight?: number;
  /**
   * What logits are divided by before the softmax of the divergence. With mode adjoined or
   * distill alone. Default: 1.
   */
  readonly klTemperature?: number;
  /**
   * The divergence from the base network: Kullback-Leibler's, of relations (dist), or decoupled
   * (dkd). With mode adjoined or distill alone. Default: kl.
   */
  readonly klLoss?: "kl" | "dist" | "dkd";
  /**
   * Weights of its two parts: between classes and between images (dist), of the target and of
   * other classes (dkd). With klLoss dist or dkd alone. Default: dist 2,2, dkd 1,8.
   */
  readonly klParts?: readonly [number, number];
  /**
   * Weight of the small network's cross entropy with the labels. With mode adjoined alone.
   * Default: 0.
   */
  readonly smallCe?: number;
  /**
   * Epochs after epochs in which the small network learns alone from the base network, which
   * stays as it is; with recipe best as many as epochs. With mode adjoined alone. Default: 0.
   */
  readonly finetuneEpochs?: number;
  /**
   * The highest learning rate of these epochs, which have a schedule of their own. With mode
   * adjoined alone. Default: lr.
   */
  readonly finetuneLr?: number;
  /**
   * Mean and deviation of pixels, measured on the training images or ImageNet's. Default: data;
   * with init as the file says, and imagenet where it says nothing.
   */
  readonly normalization?: "data" | "imagenet";
  /**
   * How training images are cropped: whole, shifted, or a part of any size. Default: generated
   * none, cifar10 crop-flip, cifar100 crop-flip, idx crop, folder resized-crop, pets
   * resized-crop.
   */
  readonly augment?: "none" | "crop-flip" | "crop" | "resized-crop";
  /**
   * The least and the greatest part of an image's area in a crop. With augment resized-crop
   * alone. Default: 0.35,1.
   */
  readonly scale?: readonly [number, number];
  /**
   * The least and the greatest width over height of a crop. With augment resized-crop alone.
   * Default: 0.75,1.333.
   */
  readonly ratio?: readonly [number, number];
  /**
   * Part of the training images that is mirrored, left to right. Default: none 0, crop 0,
   * crop-flip 0.5, resized-crop 0.5.
   */
  readonly hflip?: number;
  /** Part of the training images that is turned upside down by mirroring. Default: 0. */
  readonly vflip?: number;
  /** Brightness, contrast and saturation change by up to that part. Default: 0. */
  readonly colorJitter?: number;
  /**
   * RandAugment: N operations of magnitude M on each image, as rand-m9-n2; -mstd0.5 varies M,
   * with -inc1 all operations grow with it.
   */
  readonly aa?: string;
  /** Part of the training images of which a rectangle is erased. Default: 0. */
  readonly reprob?: number;
  /** What is in the place of the erased: the mean, or noise. Default: pixel. */
  readonly remode?: "const" | "pixel";
  /** Alpha of mixup, which blends images and labels in pairs. Default: 0. */
  readonly mixup?: number;
  /** Alpha of cutmix, which puts a rectangle of one image into another. Default: 0. */
  readonly cutmix?: number;
  /**
   * How the authors trained on a data set: image size, batch, epochs, optimiser, rate and crops;
   * or best: what helps small networks; where no flag says otherwise.
   */
  readonly recipe?: "imagenet" | "imagewoof" | "cifar100" | "cifar10" | "pets" | "best";
  /**
   * How often each training image is seen. Default: generated 6, cifar10 100, cifar100 150, idx
   * 10, folder 100, pets 100.
   */
  readonly epochs?: number;
  /**
   * Images of a step; of each epoch, a last batch that is not full is left out. Default:
   * generated 64, cifar10 32, cifar100 32, idx 64, folder 64, pets 64.
   */
  readonly batchSize?: number;
  /** Learning rate, the highest of its schedule. Default: adamw 0.004, sgd 0.1. */
  readonly lr?: number;
  /** Optimiser. Default: adamw. */
  readonly opt?: "sgd" | "adamw";
  /** Schedule of the learning rate. Default: adamw onecycle, sgd step. */
  readonly sched?: "constant" | "step" | "cosine" | "onecycle";
  /**
   * Epochs over which the learning rate first rises from 0. With sched constant or step or
   * cosine alone. Default: 0.
   */
  readonly warmupEpochs?: number;
  /**
   * Factor on the learning rate at 1/3 and at 2/3 of the run. With sched step alone. Default:
   * 0.1.
   */
  readonly decayRate?: number;
  /**
   * Momentum of sgd, beta1 of adamw; onecycle has its own. With sched constant or step or cosine
   * alone. Default: 0.9.
   */
  readonly momentum?: number;
  /** Nesterov's momentum. With opt sgd alone. */
  readonly nesterov?: boolean;
  /** Weight decay; decoupled for adamw. Default: adamw 0.01, sgd 0.0001. */
  readonly weightDecay?: number;
  /**
   * Factor of the weight decay for scales and shifts of norms and for biases; 0: none. Default:
   * 1.
   */
  readonly normDecay?: number;
  /**
   * Norm of all gradients together, to which larger ones are scaled down. Default: gradients are
   * taken as they are.
   */
  readonly clipGrad?: number;
  /** Measure and save a moving average of the weights, with this decay. Default: no average. */
  readonly modelEmaDecay?: number;
  /** Label smoothing. Default: 0. */
  readonly smoothing?: number;
  /** Balanced: the loss of an image weighs the more, the fewer its class has. Default: none. */
  readonly classWeights?: "none" | "balanced";
  /**
   * Images of an epoch: each once, or drawn so that classes are equally likely. Default:
   * shuffled.
   */
  readonly sampler?: "shuffled" | "balanced";
  /** Of weights, order, augmentation, masks and generated images. Default: 0. */
  readonly seed?: number;
  /**
   * How values of a training step are kept: mixed keeps images and their gradients in half
   * floats, with a loss that is scaled; auto does so on GPUs that have them. Default: float32.
   */
  readonly precision?: "float32" | "mixed" | "auto";
  /**
   * Save a checkpoint every so many steps of an epoch as well. Default: at the end of each
   * epoch.
   */
  readonly checkpointSteps?: number;
  /** Save a checkpoint every so many minutes as well. Default: at the end of each epoch. */
  readonly checkpointMinutes?: number;
  /** The epoch whose networks are the result; best: by the small network's top-1. Default: last. */
  readonly select?: "last" | "best";
  /** Stop after so many epochs without a better small network. Default: all epochs are trained. */
  readonly patience?: number;
}

/** Options of `train()` alone, with the names and defaults of the command line. */
export interface TrainOnlySettings {
  /**
   * Of several small networks, how many each step trains: the smallest, and others at random.
   * With mode adjoined alone. Default: all of them.
   */
  readonly sandwich?: number;
}

/** Options of `search()` alone, with the names and defaults of the command line. */
export interface SearchOnlySettings {
  /** What filters may be divided by: 2 to 8 different numbers from 1 on. Default: 1,2,4,8. */
  readonly divisors?: readonly number[];
  /** Epochs of the search, before the epochs of the training. Default: 4. */
  readonly searchEpochs?: number;
  /** Learning rate of the logits of the widths. Default: 0.05. */
  readonly searchLr?: number;
  /** That of the choice between widths at the start of the search. Default: 5. */
  readonly temperature?: number;
  /** That at its end, at most temperature. Default: 0.5. */
  readonly endTemperature?: number;
  /** Train the widths found from fresh weights, not from the searched ones. */
  readonly fromScratch?: boolean;
}
