//! Also: an asset of a type that cannot be kept

use pipeline_runtime::prelude::*;

struct Connection;

static VISITS: Asset<Connection> = Asset::new("visits");

fn main() {
    let _ = VISITS.name();
}
