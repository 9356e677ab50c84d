//! Files that arrive in cloud storage, waited for and processed: exercise 2, on a mock of S3 that is a folder.
//!
//! | module | subject |
//! |---|---|
//! | `pipelines` | the pipelines: which task waits for which, how long, and what becomes of errors |
//! | `domain` | what the files mean, and what can be wrong with them; knows nothing of pipelines |
//! | `mock_s3` | the mock buckets and the files that arrive in them |
//! | `demo` | the three tasks' pipelines on a fast clock, with files that come late |

pub mod demo;
pub mod domain;
pub mod mock_s3;
pub mod pipelines;
