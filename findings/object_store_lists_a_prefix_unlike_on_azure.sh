#!/usr/bin/env bash
# object_store's paginated listing includes an object whose key equals the prefix on S3, and leaves it out on Azure.
#
# Versions: object_store 0.14.2, Rust 1.95.0, Azurite 3.37.0 (npm), @azure/storage-blob 12.29.1 (npm), moto 5.2.5 (PyPI).
#
# What happens: `PaginatedListStore::list_paginated` takes a string as its prefix, unlike `ObjectStore::list`, whose prefix is a
# path. Of the objects `data`, `data.csv` and `data/a` it lists all three on S3 for `data`, but on Azure only the last two: the
# client drops keys that are no longer than the prefix, after the server has sent them.
#
# What was expected: the same on both, as both servers list the keys that begin with the prefix.
#
# Seen on 2026-11-30:
#
#   s3: data, data.csv, data/a
#   azure: data.csv, data/a
#
# It needs Rust with cargo, Node with npm, Python with pip, and crates.io, npm and PyPI. It exits with 1 once the behavior has
# changed.
set -euo pipefail
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"

npm install --no-audit --no-fund --silent --ignore-scripts azurite@3.37.0 @azure/storage-blob@12.29.1
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check 'moto[s3,server]==5.2.5'
mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "listing"
version = "0.0.0"
edition = "2024"

[dependencies]
object_store = { version = "=0.14.2", features = ["aws", "azure"] }
tokio = { version = "1", features = ["macros", "rt"] }
TOML
cat >src/main.rs <<'RUST'
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::list::{PaginatedListOptions, PaginatedListStore};
use object_store::{ObjectStore, ObjectStoreExt};

async fn listed<S: ObjectStore + PaginatedListStore>(name: &str, store: S) -> object_store::Result<()> {
    for key in ["data", "data.csv", "data/a"] {
        store.put(&key.into(), "x".into()).await?;
    }
    let page = store.list_paginated(Some("data"), PaginatedListOptions::default()).await?;
    let mut keys: Vec<String> = page.result.objects.iter().map(|object| object.location.to_string()).collect();
    keys.sort();
    println!("{name}: {}", keys.join(", "));
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> object_store::Result<()> {
    let url = |variable: &str| std::env::var(variable).expect("it is set");
    let s3 = AmazonS3Builder::new().with_endpoint(url("S3")).with_allow_http(true).with_bucket_name("bucket").with_region("us-east-1");
    listed("s3", s3.with_access_key_id("test").with_secret_access_key("test").build()?).await?;
    let azure = MicrosoftAzureBuilder::new().with_endpoint(url("AZURE")).with_allow_http(true).with_container_name("bucket");
    listed("azure", azure.with_account("devstoreaccount1").with_access_key(url("KEY")).build()?).await
}
RUST
cargo build --quiet

export KEY=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==
export S3=http://127.0.0.1:18951 AZURE=http://127.0.0.1:18952/devstoreaccount1
python/bin/moto_server -H 127.0.0.1 -p 18951 >moto.log 2>&1 &
node node_modules/azurite/dist/src/blob/main.js --inMemoryPersistence --skipApiVersionCheck --silent --blobHost 127.0.0.1 --blobPort 18952 >azurite.log 2>&1 &
cat >make.mjs <<'JS'
import { BlobServiceClient, StorageSharedKeyCredential } from '@azure/storage-blob';

const credential = new StorageSharedKeyCredential('devstoreaccount1', process.env.KEY);
const make = () => new BlobServiceClient(process.env.AZURE, credential).createContainer('bucket');
const made = async () => (await fetch(`${process.env.S3}/bucket`, { method: 'PUT' })).ok && (await make());
for (let tries = 0; ; tries++) {
  try {
    if (await made()) break;
  } catch (error) {
    if (tries > 100) throw error;
  }
  await new Promise(resolve => setTimeout(resolve, 100));
}
JS
node make.mjs
seen=$(target/debug/listing)
echo "$seen"
[ "$seen" = "s3: data, data.csv, data/a
azure: data.csv, data/a" ] || { echo "the behavior has changed"; exit 1; }
