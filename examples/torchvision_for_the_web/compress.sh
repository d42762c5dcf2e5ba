#!/bin/sh
# Your photographs and weights of torchvision's become a small network in a web page.
#
#     sh examples/torchvision_for_the_web/compress.sh photos mobilenet_v2.safetensors
#
# The photographs lie in photos/train/CLASS and photos/val/CLASS; weights.py writes the weights. MODEL,
# SIZE and EPOCHS name another network, the pixels of its images, and the length of the training. With
# EPOCHS=2 SIZE=32, 786 photographs of clothes, and weights as torchvision draws them where it has none,
# this ended with:
#
#     network  validation top-1     params     MACs     file
#     base               10.8 %  2,236,682  6.125 M  9.12 MB
#     small              12.9 %    587,946  1.876 M  2.45 MB
#     runs/for_the_web/small.onnx: 2.34 MB, 1.008 times its 2,317,824 bytes of parameters
#     runs/for_the_web/small.html: serve its folder, as with python3 -m http.server
#
set -eu
photos=$1
weights=$2
run=${3:-runs/for_the_web}

# Both networks start from the weights, the small one from the filters of the largest norms.
deno task train --data-dir "$photos" --init "$weights" --output "$run" \
  --model "${MODEL:-mobilenetv2_100}" --mask-from 1 --compression 2 \
  --image-size "${SIZE:-96}" --epochs "${EPOCHS:-20}" --lr 1e-3

# ONNX that onnxruntime-web has been seen to run alike, and a page for it.
deno task export "$run" --page
