#!/usr/bin/env bash
# minijinja 3.0.5 builds with its feature `fuel` and with `macros`, but not with both.
#
# Versions: minijinja 3.0.5 and 3.1.0, without default features, Rust 1.95.
#
# What happens: with `macros`, the code of `fuel` names an instruction that is compiled only with `multi_template`. So a program
# with one dependency that enables `fuel` and another that enables `macros` does not build, since cargo unites the features. It
# builds with `multi_template` as a third, so the default features hide the problem. 3.1.0 builds with each of the four.
#
# What was expected: features that build alone also build together.
#
# Seen on 2026-11-29:
#
#   3.0.5 fuel: builds
#   3.0.5 macros: builds
#   3.0.5 fuel,macros: no variant or associated item named `LoadBlocks` found for enum `Instruction<'source>` in the current scope
#   3.0.5 fuel,macros,multi_template: builds
#   3.1.0 fuel,macros: builds
#
# It needs cargo and the registry. It exits with 1 once the behavior has changed.
set -euo pipefail
here=$(realpath "$0")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir src
touch src/lib.rs

build() {
  local quoted="\"${2//,/\", \"}\""
  cat >Cargo.toml <<TOML
[package]
name = "templates"
version = "0.0.0"
edition = "2024"

[dependencies]
minijinja = { version = "=$1", default-features = false, features = [$quoted] }
TOML
  if cargo check --quiet 2>log; then
    echo "$1 $2: builds"
  else
    echo "$1 $2: $(sed -n 's/^error\[E0599\]: //p' log | head -1)"
  fi
}

found=$(
  build 3.0.5 fuel
  build 3.0.5 macros
  build 3.0.5 fuel,macros
  build 3.0.5 fuel,macros,multi_template
  build 3.1.0 fuel,macros
)
echo "$found"
diff <(sed -n 's/^#   //p' "$here") <(echo "$found") >/dev/null || {
  echo "the behavior has changed" >&2
  exit 1
}
