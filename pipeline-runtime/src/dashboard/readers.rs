//! Reading the journal: on a few threads, with connections that are reused.

use super::problem::Problem;
use crate::Pipeline;
use crate::read::JournalReader;
use axum::http::StatusCode;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;

/// The maximum number of concurrent reads.
pub(super) const MAX_READS: usize = 4;

/// The connections to a journal.
#[derive(Debug)]
pub(super) struct Readers {
    pub(super) journal: PathBuf,
    pipelines: Vec<Pipeline>,
    idle: Arc<Mutex<Vec<JournalReader>>>,
    permits: Semaphore,
}

impl Readers {
    pub(super) fn new(journal: PathBuf, pipelines: Vec<Pipeline>) -> Self {
        Self { journal, pipelines, idle: Arc::default(), permits: Semaphore::new(MAX_READS) }
    }

    /// Reads on a thread that may block. The reads are consistent if `read` takes a snapshot.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&JournalReader) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        // It is never closed.
        let _permit = self.permits.acquire().await;
        let (idle, journal, pipelines) = (Arc::clone(&self.idle), self.journal.clone(), self.pipelines.clone());
        let answer_task = tokio::task::spawn_blocking(move || {
            let pooled = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let reader = match pooled {
                Some(reader) => reader,
                None => JournalReader::open(&journal)?.pipelines(pipelines),
            };
            let answer = read(&reader);
            // After an error of the file the connection is reopened.
            if answer.as_ref().err().is_none_or(|problem| problem.status != StatusCode::INTERNAL_SERVER_ERROR) {
                idle.lock().unwrap_or_else(PoisonError::into_inner).push(reader);
            }
            answer
        });
        answer_task.await.unwrap_or_else(|error| {
            tracing::error!("the dashboard could not answer: {error}");
            Err(Problem::internal("internal error", "the answer could not be computed: see the log"))
        })
    }
}
