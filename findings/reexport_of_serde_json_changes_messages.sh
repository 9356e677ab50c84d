#!/usr/bin/env bash
# A library that re-exports serde_json makes rustc write `std::string::String` in the errors of all users of the library.
#
# Versions: serde_json 1.0.154, Rust 1.95.
#
# What happens: rustc shortens a path in a message if its last name is unique among all reachable items. Variants of public enums
# count. `pub use serde_json;` makes `serde_json::Value::String` reachable from the library, so `String` is no longer unique, and
# each error about a `String` in a crate that depends on the library spells out the path, also in code that never mentions JSON.
# The same happens to an item of the library that shares its name with one of serde_json's variants, such as `Data`
# (`serde_json::error::Category::Data`).
#
# What was expected: a re-export of a crate changes what can be named, but not the messages of code that does not name it.
#
# Seen on 2026-11-29, one error without and with the re-export in the library:
#
#   the trait bound `String: Countable` is not satisfied
#   the trait bound `std::string::String: Countable` is not satisfied
#
# It needs cargo and the registry. It exits with 1 once the behavior has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir -p library/src app/src
cat >Cargo.toml <<'TOML'
[workspace]
members = ["library", "app"]
resolver = "3"
TOML
cat >library/Cargo.toml <<'TOML'
[package]
name = "library"
version = "0.0.0"
edition = "2024"

[dependencies]
serde_json = "=1.0.154"
TOML
cat >app/Cargo.toml <<'TOML'
[package]
name = "app"
version = "0.0.0"
edition = "2024"

[dependencies]
library = { path = "../library" }
TOML
cat >app/src/main.rs <<'RUST'
fn main() {
    library::takes(String::new());
}
RUST
trait_of_library='pub trait Countable {} impl Countable for u64 {} pub fn takes<N: Countable>(_: N) {}'

message() {
  { cargo check --quiet --message-format short 2>&1 || true; } | grep -o 'the trait bound `[^`]*`' | head -n 1
}

printf '%s\n' "$trait_of_library" >library/src/lib.rs
without=$(message)
printf 'pub use serde_json;\n%s\n' "$trait_of_library" >library/src/lib.rs
with=$(message)

echo "without the re-export: $without"
echo "with it:               $with"
[ "$without" = 'the trait bound `String: Countable`' ] && [ "$with" = 'the trait bound `std::string::String: Countable`' ]
