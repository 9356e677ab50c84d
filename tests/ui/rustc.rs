//! The wrapper of rustc for the failing cases: runs rustc, and stores its messages about each case in the folder `UI_MESSAGES`.
//!
//! cargo and trybuild drop repeated messages, so the goldens cannot show that rustc reports a mistake twice.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::{env, fs};

fn main() -> io::Result<ExitCode> {
    let mut args = env::args_os().skip(1);
    let rustc = args.next().ok_or_else(|| io::Error::other("cargo names the rustc that it would call"))?;
    let args: Vec<OsString> = args.collect();
    let output = Command::new(rustc).args(&args).stdout(Stdio::inherit()).stderr(Stdio::piped()).output()?;
    io::stderr().write_all(&output.stderr)?;
    if let (Some(folder), Some(name)) = (env::var_os("UI_MESSAGES"), args.iter().find_map(case)) {
        fs::write(PathBuf::from(folder).join(name), &output.stderr)?;
    }
    // A killed rustc has no exit code.
    Ok(output.status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}

/// The name of the file for a case: `wiring.wrong_type.json` for `../wiring/fail/wrong_type.rs`.
fn case(source: &OsString) -> Option<String> {
    let source = Path::new(source);
    let fail = source.parent().filter(|folder| folder.ends_with("fail"))?;
    let topic = fail.parent()?.file_name()?.to_str()?;
    let case = source.file_name()?.to_str()?.strip_suffix(".rs")?;
    Some(format!("{topic}.{case}.json"))
}
