//! What a program may be given.

use pipeline_runtime::Command;
use pipeline_runtime::prelude::*;
use std::path::PathBuf;

static KEY: Secret = Secret::env("PORTAL_KEY");

#[task]
async fn load(ctx: Context, key: Secret, name: String, folder: PathBuf) -> Result<u64> {
    let mut command = Command::new("tool").args(["a", "b"]).args(vec![name.clone()]).arg(&folder).arg(&name).arg(name.clone());
    for (variable, value) in [("A", "a"), ("B", "b")] {
        command = command.env(variable, value);
    }
    let command = command.env("NAME", &name).env("FOLDER", &folder).env("TEXT", name).env("KEY", &key).env("OTHER", &KEY);
    command.env_remove("HOME").dir(folder).accept(1).run(&ctx).await?.output_json()
}

#[pipeline]
pub(crate) fn programs() {
    load(&KEY, "name", PathBuf::from("/"));
}
