//! `pause` and `unpause`

use super::{choose, holder};
use crate::Pipeline;
use crate::host::{Command, pause};
use std::path::Path;
use std::process::ExitCode;

pub(super) fn run(pipelines: &[Pipeline], id: Option<&str>, paused: bool, journal: &Path) -> Result<ExitCode, String> {
    let pipeline = choose::one(pipelines, id)?;
    let command = Command::Pause { pipeline: pipeline.id().to_owned(), paused };
    holder::change(journal, &command, |journal| pause(journal, pipeline, paused))
}
