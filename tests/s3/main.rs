//! Buckets on an S3 API: the suite for every store, then what only S3 has, and network faults.

mod append;
#[path = "../../pipeline-runtime/src/storage/tests/cases.rs"]
mod cases;
mod cloud_data_pipeline;
mod conditions;
mod elsewhere;
mod errors;
mod event_archive;
mod faults;
mod gcs;
mod generated;
mod google;
mod listings;
mod log;
mod million;
mod multipart;
mod server;
mod stores;
mod times;

use cases::Tested;
use server::Server;

macro_rules! on_s3 {
    ($($case:ident),+ $(,)?) => {
        mod suite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() -> super::Tested {
                    let server = super::Server::start().await?;
                    super::cases::$case(server.bucket("data-bucket")?).await
                }
            )+
        }
    };
}

cases::every!(on_s3);
