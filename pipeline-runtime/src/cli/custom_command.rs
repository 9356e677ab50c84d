//! The commands that a binary adds to those of every pipeline binary, with `Cli::command`.

use super::args::Args;
use clap::CommandFactory;
use std::ffi::OsString;
use std::process::ExitCode;

/// A command that the binary adds. It parses its arguments itself.
pub(super) struct CustomCommand {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) run: Box<dyn FnOnce(Vec<OsString>) -> ExitCode>,
}

impl std::fmt::Debug for CustomCommand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl CustomCommand {
    /// Returns the clap command. Clap parses none of its arguments.
    pub(super) fn to_clap(&self) -> clap::Command {
        let rest = clap::Arg::new("arguments").num_args(0..).trailing_var_arg(true).allow_hyphen_values(true);
        let rest = rest.value_parser(clap::value_parser!(OsString)).hide(true);
        clap::Command::new(self.name).about(self.about).disable_help_flag(true).arg(rest)
    }

    /// Returns the arguments after the name of the command.
    pub(super) fn arguments(matches: &clap::ArgMatches) -> Vec<OsString> {
        matches.get_many::<OsString>("arguments").into_iter().flatten().cloned().collect()
    }
}

/// Returns why the names of the added commands are not unique, if so.
pub(super) fn name_conflict(commands: &[CustomCommand]) -> Option<String> {
    let built_in = Args::command();
    let is_built_in = |name: &str| matches!(name, "help" | "version") || built_in.find_subcommand(name).is_some();
    commands.iter().enumerate().find_map(|(n, command)| {
        let name = command.name;
        let whose = match commands[..n].iter().any(|before| before.name == name) {
            true => "it adds another of that name",
            false if is_built_in(name) => "every pipeline binary has one of that name",
            false => return None,
        };
        Some(format!("this binary adds the command `{name}`, but {whose}\n  = help: give it another in `Cli::command`"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Cli, WRONG_USE};

    fn commands(names: &[&'static str]) -> Vec<CustomCommand> {
        let with_name = |name: &&'static str| CustomCommand { name, about: "", run: Box::new(|_| ExitCode::SUCCESS) };
        names.iter().map(with_name).collect()
    }

    #[test]
    fn a_command_of_the_binarys_own_has_a_name_of_its_own() {
        assert_eq!(name_conflict(&commands(&["load-mocks", "greet"])), None);
        let named = "this binary adds the command `run`, but every pipeline binary has one of that name\n  \
                     = help: give it another in `Cli::command`";
        assert_eq!(name_conflict(&commands(&["greet", "run"])).as_deref(), Some(named));
        assert!(name_conflict(&commands(&["help"])).is_some());
        assert!(
            name_conflict(&commands(&["greet", "greet"])).is_some_and(|said| said.contains("but it adds another of that name"))
        );
        // It fails for every invocation: in debug builds clap would panic.
        let cli = Cli { pipelines: Vec::new(), commands: commands(&["run"]), speed: 1 };
        assert_eq!(cli.run(["binary", "list"]), ExitCode::from(WRONG_USE));
    }
}
