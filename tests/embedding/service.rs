//! The service that `docs/embedding.md` shows, and what it does.

// The page begins here.
use pipeline_runtime::prelude::*;
use pipeline_runtime::read::{RunFilter, RunSummary};
use pipeline_runtime::{Host, HostError, RunRef};
use std::path::Path;

#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
struct Import {
    customer: String,
}

#[task(retries = 2, retry_delay = "30s")]
async fn import(customer: String) -> Result<usize> {
    Ok(customer.len())
}

#[pipeline]
fn imports(import_of: Import) {
    import(import_of.customer);
}

/// What the handlers share. It is cheap to clone.
#[derive(Clone)]
struct Service {
    host: Host,
}

impl Service {
    async fn start(journal: &Path) -> Result<Self, HostError> {
        let host = Host::builder([imports()]).journal(journal).follow_schedules(true).start().await?;
        Ok(Self { host })
    }

    /// `POST /imports`: answers as soon as the run is kept.
    async fn begin(&self, customer: &str) -> Result<RunRef, HostError> {
        self.host.trigger("imports", Import { customer: customer.to_owned() }, None).await
    }

    /// `GET /imports/{run_id}`: how far it is.
    async fn progress(&self, run_id: String) -> Result<Option<serde_json::Value>, HostError> {
        let read = self.host.read(move |journal| {
            let Some(run) = journal.run(&format!("imports/{run_id}"))? else { return Ok(None) };
            Ok(Some(journal.details(&run)?.to_json()))
        });
        read.await
    }

    /// `GET /imports`: the newest ones.
    async fn newest(&self) -> Result<Vec<serde_json::Value>, HostError> {
        let runs = self.host.read(|journal| journal.runs(&RunFilter::new().pipeline("imports"))).await?;
        Ok(runs.iter().map(RunSummary::to_json).collect())
    }

    /// As the program ends: after its server, and before `main` returns.
    async fn stop(self) -> Result<(), HostError> {
        self.host.shutdown().await.map(drop)
    }
}
// The page ends here.

#[tokio::test]
async fn the_service_of_the_page_works() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::start(&folder.path().join("journal.db")).await.unwrap();
    let run = service.begin("acme").await.unwrap();
    service.host.wait(&run).await.unwrap();
    let progress = service.progress(run.run_id.clone()).await.unwrap().unwrap();
    assert_eq!((&progress["state"], &progress["nodes"][0]["output"]), (&"success".into(), &4.into()));
    assert_eq!(service.progress("manual__never".into()).await.unwrap(), None);
    assert_eq!(service.newest().await.unwrap()[0]["run_id"], run.run_id);
    service.stop().await.unwrap();
}
