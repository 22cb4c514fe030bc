#!/bin/bash -eu
# Builds the targets for ClusterFuzzLite: programs, corpora and options side by side in $OUT.
KITTSON_FUZZ_FLAGS=--static-swift-stdlib fuzz/build
for target in FuzzDecode FuzzBundles FuzzELF FuzzPatches; do
  cp "fuzz/.build/release/$target" "$OUT/"
  (cd "fuzz/corpus/$target" && zip -q -r "$OUT/${target}_seed_corpus.zip" .)
  cp fuzz/options "$OUT/$target.options"
done
