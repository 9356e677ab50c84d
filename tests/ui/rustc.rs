//! What cargo calls in rustc's place for the failing cases: it runs rustc, and stores what it says of each case in the folder `UI_MESSAGES`.
//!
//! trybuild drops a message that cargo has printed before, so its goldens cannot show that rustc says a thing twice.

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
    // A rustc that is killed has no code.
    Ok(output.status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}

/// `wiring.wrong_type.json` for `../wiring/fail/wrong_type.rs`.
fn case(source: &OsString) -> Option<String> {
    let source = Path::new(source);
    let fail = source.parent().filter(|folder| folder.ends_with("fail"))?;
    let topic = fail.parent()?.file_name()?.to_str()?;
    let case = source.file_name()?.to_str()?.strip_suffix(".rs")?;
    Some(format!("{topic}.{case}.json"))
}
