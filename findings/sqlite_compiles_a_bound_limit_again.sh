#!/usr/bin/env bash
# SQLite compiles a prepared statement again whenever another value is bound to its LIMIT, or to a column that a partial index tests.
#
# Versions: rusqlite 0.43.0 with its feature `bundled` (SQLite 3.54.1), Rust 1.95.
#
# What happens: the query planner reads the value of such a parameter, and binding another one marks the statement as expired. So a
# statement that is prepared once is compiled again at each execution, also where ANALYZE has never run. A cache of prepared
# statements, such as rusqlite's `prepare_cached`, does not help; for a short query the compilation is most of the time. With
# SQLITE_DBCONFIG_ENABLE_QPSG the planner reads no bound value, and the statement is compiled once.
#
# What was expected: a prepared statement is compiled again only if the schema has changed.
#
# Seen on 2026-12-01, the number of compilations after the first, for five executions:
#
#   WHERE a > ?: 0
#   WHERE a > ? LIMIT ?: 5
#   WHERE a > ? LIMIT ?, with QPSG: 0
#   WHERE open = ?, with a partial index: 5
#   WHERE open = ?, with a partial index and QPSG: 0
#
# It needs cargo, the registry and a C compiler. It exits with 1 once the behavior has changed.
set -euo pipefail
here=$(realpath "$0")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "compilations"
version = "0.0.0"
edition = "2024"

[dependencies]
rusqlite = { version = "=0.43.0", features = ["bundled"] }
TOML
cat >src/main.rs <<'RUST'
use rusqlite::config::DbConfig;
use rusqlite::{Connection, StatementStatus};

fn compilations(stable: bool, query: &str) -> i32 {
    let connection = Connection::open_in_memory().unwrap();
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, stable).unwrap();
    connection.execute_batch("CREATE TABLE t (a INTEGER, open INTEGER); CREATE INDEX by_a ON t (a); CREATE INDEX opened ON t (a) WHERE open = 1").unwrap();
    let mut statement = connection.prepare(query).unwrap();
    for value in 1..=5_i64 {
        let values = vec![value; statement.parameter_count()];
        let mut rows = statement.query(rusqlite::params_from_iter(values)).unwrap();
        while rows.next().unwrap().is_some() {}
    }
    statement.get_status(StatementStatus::RePrepare)
}

fn main() {
    println!("WHERE a > ?: {}", compilations(false, "SELECT a FROM t WHERE a > ?"));
    let limited = "SELECT a FROM t WHERE a > ? LIMIT ?";
    println!("WHERE a > ? LIMIT ?: {}", compilations(false, limited));
    println!("WHERE a > ? LIMIT ?, with QPSG: {}", compilations(true, limited));
    let partial = "SELECT a FROM t WHERE open = ?";
    println!("WHERE open = ?, with a partial index: {}", compilations(false, partial));
    println!("WHERE open = ?, with a partial index and QPSG: {}", compilations(true, partial));
}
RUST
found=$(cargo run --quiet)
echo "$found"
diff <(sed -n 's/^#   //p' "$here") <(echo "$found") >/dev/null || {
  echo "the behavior has changed" >&2
  exit 1
}
