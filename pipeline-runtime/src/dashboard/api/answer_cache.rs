//! The answers to the last commands, by the keys of their requests: a request that is sent twice is carried out once.

use super::Problem;
use serde_json::Value;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// The number of stored answers.
const MAX_ANSWERS: usize = 1_000;
/// The answers by the keys of their requests.
#[derive(Debug, Default)]
pub(crate) struct AnswerCache(Mutex<VecDeque<(String, AnswerCell)>>);

/// An answer that is computed once.
pub(super) type AnswerCell = Arc<tokio::sync::OnceCell<Result<Value, Problem>>>;

impl AnswerCache {
    /// Returns the answer to the request with that key, which may not be computed yet.
    pub(super) fn of(&self, key: &str) -> AnswerCell {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, answer)) = answers.iter().find(|(of, _)| of == key) {
            return Arc::clone(answer);
        }
        let answer = Arc::default();
        answers.push_back((key.to_owned(), Arc::clone(&answer)));
        let over = answers.len().saturating_sub(MAX_ANSWERS);
        answers.drain(..over);
        answer
    }
}
