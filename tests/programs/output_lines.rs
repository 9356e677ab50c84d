//! A program's output is stored with its attempt.

use crate::sh;
use pipeline_runtime::cli::{Progress, Runner};
use pipeline_runtime::prelude::*;
use pipeline_runtime::read::{JournalReader, LogFilter, RunFilter};

#[task]
async fn speaks(ctx: Context) -> Result<()> {
    ctx.log_line("before");
    sh("echo one; sleep 0.2; echo two >&2; sleep 0.2; printf three").run(&ctx).await?;
    Ok(())
}

#[pipeline]
fn speaking() {
    speaks();
}

#[test]
fn its_lines_are_the_nodes_own() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("j.db");
    Runner::new().pipeline(speaking(), ()).progress(Progress::Silent).journal(&file).run().unwrap();
    let journal = JournalReader::open(&file).unwrap();
    let run = journal.runs(&RunFilter::new()).unwrap().remove(0);
    let lines = journal.logs(&run, &LogFilter::new().node("speaks")).unwrap();
    let lines: Vec<_> = lines.iter().map(|line| (line.attempt(), line.level(), line.text())).collect();
    assert_eq!(lines, [(1, "INFO", "before"), (1, "INFO", "one"), (1, "INFO", "two"), (1, "INFO", "three")]);
}
