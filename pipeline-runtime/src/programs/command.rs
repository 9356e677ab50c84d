use super::group::{self, Running};
use super::output_lines::OutputLines;
use super::variable::{IntoArgument, IntoVariable, Value, Variable};
use crate::author::context::Context;
use crate::author::error::{Result, TaskError};
use crate::engine::MAX_OUTPUT;
use serde::de::DeserializeOwned;
use std::ffi::{OsStr, OsString};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::unix::pipe::Receiver;

/// The variable with the path of the file to which the program writes its result.
const OUT: &str = "PIPELINE_OUT";
/// The maximum size of that file, which is the maximum size of an output.
const MAX_OUT: u64 = MAX_OUTPUT as u64;
/// How long other processes that hold the program's output may continue to write after its end.
const LINGER: Duration = Duration::from_secs(1);
/// The exit codes with a special meaning, as in Airflow.
const SKIP: i32 = 99;
const FATAL: i32 = 100;

/// A program that a body runs.
///
/// - Its output is written to the node's log, line by line: `logs RUN NODE` shows it, without secrets.
/// - Exit code 0 is success, 99 ends the node as `skipped`, 100 fails it without a retry. Any other code fails the attempt, with
///   the last lines that the program printed to stderr, or otherwise to stdout.
/// - It has a process group of its own. If the attempt ends before the program, by its time limit, a cancel, a drain or the death
///   of this process, the group is sent SIGTERM, and SIGKILL ten seconds later. A retry does not wait for those ten seconds.
/// - In a simulation it really runs, and takes no virtual time; `.stub("node", value)` replaces the body.
///
/// Its standard input is empty; its folder and environment are those of this process by default. It needs a `/bin/sh`, which
/// supervises it.
///
/// ```
/// use pipeline_runtime::prelude::*;
/// use pipeline_runtime::{Command, Simulation};
///
/// static DATABASE: Secret = Secret::env("DATABASE_URL");
///
/// #[task(timeout = "1h")]
/// async fn transform(ctx: Context, database: Secret, day: String) -> Result<String> {
///     let ran = Command::new("echo").args(["transformed", &day]).env("DATABASE_URL", &database).run(&ctx).await?;
///     Ok(ran.last_line().to_owned())
/// }
///
/// #[pipeline(schedule = "@daily", start = "2024-01-01")]
/// fn nightly() {
///     transform(&DATABASE, template!("{{ ds }}"));
/// }
///
/// let report = Simulation::new(nightly()).secret(&DATABASE, "postgres://u:p4ssw0rd@db/sales").run();
/// assert_eq!(report.output::<String>("transform").as_deref(), Some("transformed 2024-01-01"));
/// ```
#[derive(Debug, Clone)]
#[must_use = "nothing happens before `run`"]
pub struct Command {
    program: OsString,
    arguments: Vec<OsString>,
    variables: Vec<(OsString, Option<Variable>)>,
    clears_environment: bool,
    folder: Option<PathBuf>,
    accepted: Vec<i32>,
}

/// The result of a program that has succeeded.
#[derive(Debug, Clone)]
pub struct Ran {
    program: String,
    code: i32,
    last_line: String,
    out: Arc<[u8]>,
}

impl Command {
    /// A program by its name, which is looked up in `PATH` as a shell does, or by its path.
    pub fn new(program: impl IntoArgument) -> Self {
        Self {
            program: program.as_ref().to_owned(),
            arguments: Vec::new(),
            variables: Vec::new(),
            clears_environment: false,
            folder: None,
            accepted: Vec::new(),
        }
    }

    /// Adds an argument. No shell interprets it, so it needs no quotes; for a shell use
    /// `Command::new("sh").args(["-c", "a | b"])`.
    pub fn arg(mut self, argument: impl IntoArgument) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    pub fn args<A: IntoArgument>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    /// Sets a variable in its environment: a text, a path or a [`Secret`](crate::Secret). A secret that is not a parameter of the
    /// task is read when the program starts; one that is a parameter is also checked by `check --env`.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl IntoVariable) -> Self {
        self.variables.push((name.as_ref().to_owned(), Some(value.into_variable())));
        self
    }

    /// Removes a variable of this process's environment.
    pub fn env_remove(mut self, name: impl AsRef<OsStr>) -> Self {
        self.variables.push((name.as_ref().to_owned(), None));
        self
    }

    /// Clears the environment, which may contain other secrets, except for variables that are added by [`env`](Self::env)
    /// afterwards.
    pub fn env_clear(mut self) -> Self {
        self.clears_environment = true;
        self.variables.clear();
        self
    }

    /// Sets its working directory.
    pub fn dir(mut self, folder: impl AsRef<Path>) -> Self {
        self.folder = Some(folder.as_ref().to_owned());
        self
    }

    /// Treats this exit code as a success, too, such as 1 of `grep` without a match.
    pub fn accept(mut self, code: i32) -> Self {
        self.accepted.push(code);
        self
    }

    /// Runs it to its end.
    ///
    /// # Errors
    ///
    /// If it cannot be started (a missing program is not retried), if a secret has no value, and according to its exit code.
    pub async fn run(&self, ctx: &Context) -> Result<Ran> {
        let out = tempfile::Builder::new().prefix("pipeline-out-").tempfile()?.into_temp_path();
        let mut program = self.prepare(ctx, &out)?;
        let (status, output, errors) = ctx.outside(async { self.wait(group::start(&mut program)).await }).await?;
        self.outcome(status, output, &errors, &out)
    }

    fn name(&self) -> String {
        self.program.to_string_lossy().into_owned()
    }

    fn prepare(&self, ctx: &Context, out: &Path) -> Result<std::process::Command> {
        let mut program = std::process::Command::new(&self.program);
        program.args(&self.arguments);
        if self.clears_environment {
            program.env_clear();
        }
        for (name, variable) in &self.variables {
            match variable {
                None => program.env_remove(name),
                Some(Variable(Value::Plain(value))) => program.env(name, value),
                Some(Variable(Value::Secret(secret))) => program.env(name, ctx.read(secret)?.expose()),
            };
        }
        program.env(OUT, out);
        if let Some(folder) = &self.folder {
            if !folder.is_dir() {
                let text = format!("`{}` cannot be started in `{}`, which is not a folder", self.name(), folder.display());
                return Err(TaskError::fatal(text));
            }
            program.current_dir(folder);
        }
        Ok(program)
    }

    /// Waits for its end, and logs its output. If this future is dropped before, the program is terminated.
    async fn wait(&self, started: std::io::Result<Running>) -> Result<(ExitStatus, OutputLines, OutputLines)> {
        let Running { output, errors, mut status, group } = started.map_err(|error| {
            let text = format!("`{}` cannot be started: {error}", self.name());
            match error.kind() {
                ErrorKind::NotFound | ErrorKind::PermissionDenied => TaskError::fatal(text),
                _ => text.into(),
            }
        })?;
        let (output, errors) = (Receiver::from_owned_fd(output.into())?, Receiver::from_owned_fd(errors.into())?);
        let (mut output_lines, mut error_lines) = (OutputLines::default(), OutputLines::default());
        let ended = {
            let reading = async {
                let output = read(&output, &mut output_lines, |line| tracing::info!(target: "stdout", "{line}"));
                let errors = read(&errors, &mut error_lines, |line| tracing::info!(target: "stderr", "{line}"));
                tokio::join!(output, errors);
            };
            let mut reading = std::pin::pin!(reading);
            tokio::select! {
                () = &mut reading => status.await,
                ended = &mut status => {
                    // All of its own output is in the pipes by now; other processes that hold them may never close them.
                    if tokio::time::timeout(LINGER, reading).await.is_err() {
                        tracing::warn!(target: "stderr", "`{}` has left processes behind, which are terminated", self.name());
                    }
                    ended
                }
            }
        };
        group.ended();
        // The thread that waits for the program sends its status before it ends.
        let status = ended??;
        Ok((status, output_lines, error_lines))
    }

    fn outcome(&self, status: ExitStatus, output: OutputLines, errors: &OutputLines, out: &Path) -> Result<Ran> {
        let program = self.name();
        let code = status.code();
        if let Some(code) = code.filter(|code| *code == 0 || self.accepted.contains(code)) {
            let out = read_out(out).map_err(|error| TaskError::fatal(format!("what `{program}` wrote to {OUT} {error}")))?;
            return Ok(Ran { program, code, last_line: output.into_last(), out: out.into() });
        }
        let tail = if errors.tail().is_empty() { output.tail() } else { errors.tail() };
        let last = output.into_last();
        // `exit status: 3`, `signal: 9 (SIGKILL)`.
        let text = if tail.is_empty() {
            format!("`{program}` ended with {status}")
        } else {
            format!("`{program}` ended with {status}:{tail}")
        };
        match code {
            Some(SKIP) if last.is_empty() => Err(TaskError::skip(format!("`{program}` ended with {status}"))),
            Some(SKIP) => Err(TaskError::skip(last)),
            Some(FATAL) => Err(TaskError::fatal(text)),
            _ => Err(text.into()),
        }
    }
}

/// Reads a stream to its end.
async fn read(stream: &Receiver, lines: &mut OutputLines, mut log: fn(&str)) {
    let mut bytes = vec![0; 16 << 10];
    loop {
        // A program that prints faster than its lines are logged must not block the thread.
        tokio::task::consume_budget().await;
        match stream.try_read(&mut bytes) {
            Ok(0) => break,
            Ok(read) => lines.read(bytes.get(..read).unwrap_or_default(), &mut log),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                if stream.readable().await.is_err() {
                    break;
                }
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    lines.end(&mut log);
}

/// The contents of the file that the program wrote.
fn read_out(out: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = std::fs::File::open(out).and_then(|file| file.take(MAX_OUT + 1).read_to_end(&mut bytes));
    match read {
        _ if bytes.len() as u64 > MAX_OUT => Err(format!("has more than {} MiB, which is the limit", MAX_OUT >> 20)),
        Ok(_) => Ok(bytes),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(format!("cannot be read: {error}")),
    }
}

impl Ran {
    /// Its exit code: 0, or an [accepted](Command::accept) one.
    pub fn code(&self) -> i32 {
        self.code
    }

    /// The last non-empty line that it printed to stdout, or an empty string. It contains no secrets.
    pub fn last_line(&self) -> &str {
        &self.last_line
    }

    /// The JSON that it wrote to the file whose path is in the variable `PIPELINE_OUT`. At most 16 MiB.
    ///
    /// ```
    /// use pipeline_runtime::prelude::*;
    /// use pipeline_runtime::{Command, Simulation};
    ///
    /// #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    /// struct Loaded { rows: u64 }
    ///
    /// #[task]
    /// async fn load(ctx: Context) -> Result<Loaded> {
    ///     let script = r#"echo '{"rows": 7}' > "$PIPELINE_OUT""#;
    ///     Command::new("sh").args(["-c", script]).run(&ctx).await?.output_json()
    /// }
    ///
    /// #[pipeline]
    /// fn loading() { load(); }
    ///
    /// assert_eq!(Simulation::new(loading()).run().output::<Loaded>("load"), Some(Loaded { rows: 7 }));
    /// ```
    ///
    /// # Errors
    ///
    /// If it wrote nothing, or JSON that is not a `T`.
    pub fn output_json<T: DeserializeOwned>(&self) -> Result<T> {
        let program = &self.program;
        if self.out.is_empty() {
            return Err(format!("`{program}` wrote nothing to the file that the variable {OUT} names").into());
        }
        serde_json::from_slice(&self.out).map_err(|error| {
            let expected = std::any::type_name::<T>();
            format!("what `{program}` wrote to {OUT} is not a `{expected}`: {error}").into()
        })
    }
}
