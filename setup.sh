#!/bin/sh
# Installs what is missing: Deno (through npm), a WebGPU adapter (Debian's software one), and the
# dependencies that every command has; with --all, those of single commands as well, so that nothing
# needs a network later; with --dawn, Chromium's WebGPU, for --webgpu dawn. Says so where there is
# nothing to do.
set -eu
cd "$(dirname "$0")"

DENO_VERSION=2.9.6

say() {
  printf 'setup: %s\n' "$*"
}

fail() {
  printf 'setup: %s\n' "$*" >&2
  exit 1
}

# Runs a command as root, through sudo where need be.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# Ends here unless as_root will do.
need_root() {
  [ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null 2>&1 ||
    fail "Cannot install $* as that needs root and there is no sudo: run this as root once."
}

apt_install() {
  command -v apt-get >/dev/null 2>&1 ||
    fail "Cannot install $* as there is no apt-get: install it by other means, then run this again."
  need_root "$@"
  say "installing $*"
  # The lists of a bare machine are empty, or too old.
  if ! as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y \
    --no-install-recommends "$@" >/dev/null 2>&1; then
    as_root apt-get update -qq >/dev/null ||
      fail "Cannot install $* as apt-get update failed: check the network."
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y \
      --no-install-recommends "$@" >/dev/null ||
      fail "Cannot install $* with apt-get: see its message above."
  fi
}

install_deno() {
  command -v npm >/dev/null 2>&1 || apt_install npm
  prefix=$(npm prefix -g 2>/dev/null) || fail "Cannot ask npm where it installs: \"npm prefix -g\" failed."
  run=
  if ! [ -w "$prefix/lib/node_modules" ] && ! [ -w "$prefix/lib" ] && ! [ -w "$prefix" ]; then
    need_root Deno
    run=as_root
  fi
  say "installing Deno $DENO_VERSION through npm"
  # npm 12 runs no install scripts unless told to; older ones do not know the flag and ignore it.
  $run npm install -g --silent --allow-scripts=deno "deno@$DENO_VERSION" ||
    fail "Cannot install Deno: \"npm install -g deno@$DENO_VERSION\" failed."
  # Where the script did not run, the first call does its work, with the rights it takes.
  $run "$prefix/bin/deno" --version >/dev/null ||
    fail "Cannot run $prefix/bin/deno, which npm has just installed."
  hash -r
  command -v deno >/dev/null 2>&1 && return
  case ":$PATH:" in
    *:/usr/local/bin:*)
      need_root "a link in /usr/local/bin"
      say "linking $prefix/bin/deno into /usr/local/bin, as $prefix/bin is not on PATH"
      as_root ln -sf "$prefix/bin/deno" /usr/local/bin/deno
      ;;
    *) fail "Deno is in $prefix/bin, which is not on PATH: run export PATH=\"$prefix/bin:\$PATH\"." ;;
  esac
}

# Whether Deno finds an adapter, with the given variables set.
finds_adapter() {
  env "$@" deno eval --no-config --no-lock \
    'Deno.exit(await navigator.gpu?.requestAdapter() ? 0 : 1)' >/dev/null 2>&1
}

# Where there is no Vulkan, Deno on Linux takes OpenGL, whose drivers run the commands while they are
# submitted and lack what the fast kernels need: up to four times slower.
finds_fast_adapter() {
  case $(uname -s) in
    Linux) finds_adapter DENO_WEBGPU_BACKEND="${DENO_WEBGPU_BACKEND:-vulkan}" ;;
    *) finds_adapter ;;
  esac
}

fetch_dawn() {
  (cd cli/webgpu/package && deno install --quiet) ||
    fail "Cannot fetch Dawn: check the network, and that cli/webgpu/package is as it was."
}

# Whether Dawn's machine code is there and is loaded.
loads_dawn() {
  deno eval --no-config --no-lock \
    'await import("./cli/webgpu/package/node_modules/webgpu/index.js")' >/dev/null 2>&1
}

all=
dawn=
for flag; do
  case "$flag" in
    --all) all=1 ;;
    --dawn) dawn=1 ;;
    *) fail "Cannot set up: wanted --all, --dawn or nothing, found $flag." ;;
  esac
done

done_something=
if ! command -v deno >/dev/null 2>&1; then
  install_deno
  done_something=1
fi
version=$(deno --version 2>/dev/null | sed -n '1s/^deno \([0-9.]*\).*/\1/p')
[ -n "$version" ] || fail "Cannot run $(command -v deno): \"deno --version\" failed."
oldest=$(printf '%s\n%s\n' "$version" "$DENO_VERSION" | sort -t. -k1,1n -k2,2n -k3,3n | head -n 1)
[ "$oldest" = "$DENO_VERSION" ] ||
  say "Deno $version is older than $DENO_VERSION, with which this is tested: run deno upgrade $DENO_VERSION"

if ! finds_fast_adapter; then
  [ "$(uname -s)" = Linux ] ||
    fail "Cannot find a WebGPU adapter: requestAdapter() gave none. Check the graphics driver."
  # In a subshell, as OpenGL will do where this fails.
  (apt_install libvulkan1 mesa-vulkan-drivers) || finds_adapter || exit 1
  if finds_fast_adapter; then
    done_something=1
  elif finds_adapter; then
    say "going on with OpenGL, which is slower, as there is no Vulkan adapter"
  else
    fail "Cannot find a WebGPU adapter, although Mesa's drivers are installed. Check vulkaninfo."
  fi
fi

# What the program itself imports, and the types that deno task fetches before any task. The 40 MB that
# decode pictures and the 140 MB that run ONNX are each fetched when they are first needed.
deno install --quiet --entrypoint cli/main.ts ||
  fail "Cannot fetch the dependencies: check the network, and that deno.lock fits import_map.json."

if [ -n "$all" ]; then
  deno install --quiet --lock=packages.lock --entrypoint cli/main.ts pictures/sharp_package.js \
    export/onnxruntime_package.js ||
    fail "Cannot fetch the packages of all commands: check the network."
  say "the packages of all commands are there"
fi

# Chromium's WebGPU: 50 MB to fetch, in a folder and with a lock of its own, as nothing else needs it.
if [ -n "$dawn" ]; then
  fetch_dawn
  # Deno holds a package for installed that has lost files.
  if ! loads_dawn; then
    rm -rf cli/webgpu/package/node_modules
    fetch_dawn
    loads_dawn || fail "Cannot load Dawn, which has just been installed: it takes x64 or arm64 with glibc."
  fi
  say "Dawn is there: --webgpu dawn, or ADJOIN_WEBGPU=dawn, trains on it"
fi

if [ -n "$done_something" ]; then
  say "done: Deno $version and a WebGPU adapter"
else
  say "nothing to do: Deno $version and a WebGPU adapter are there"
fi
