//! Waits for files that arrive in cloud storage, and processes them: exercise 2, on a mock of S3 that is a folder.
//!
//! | module | subject |
//! |---|---|
//! | `pipelines` | the pipelines: which task waits for which, for how long, and how errors are handled |
//! | `domain` | the contents of the files and their validation; knows nothing of pipelines |
//! | `mock_s3` | the mock buckets and the files that arrive in them |
//! | `demo` | the pipelines of the three tasks on a fast clock, with files that arrive late |

pub mod demo;
pub mod domain;
pub mod mock_s3;
pub mod pipelines;
