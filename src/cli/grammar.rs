//! The grammar of the command line, made from the manifest.

use std::ffi::OsString;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, Command};

use super::options::Options;
use crate::manifest::{Manifest, ParamDef};
use crate::plan::{PlanError, params_of, tasks_on_a_stack};
use crate::stack::Secrecy;

/// The name of the positional argument that names a stack. Upper case, so that no parameter can have it.
pub(super) const STACK: &str = "STACK";

/// The whole command line. Without a manifest there are only the program's own commands.
///
/// Of tasks that `args` does not name, only what `--help` shows is made: a manifest may have thousands.
///
/// # Errors
/// Tasks of one plan whose parameters contradict each other.
pub(super) fn command(manifest: Option<&Manifest>, args: &[OsString]) -> Result<Command, PlanError> {
    let mut command = Command::new("opw-task")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Give Odoo stacks fresh, sanitised copies of production, and run the tasks of a tasks.toml")
        .subcommand_value_name("TASK")
        .subcommand_help_heading("Tasks and commands")
        .args(Options::args())
        .subcommand(
            Command::new("list").about("List tasks and stacks").arg(
                Arg::new("all")
                    .long("all")
                    .short('a')
                    .action(ArgAction::SetTrue)
                    .help("Include private tasks"),
            ),
        )
        .subcommand(
            Command::new("env")
                .about("Show the variables of a stack and where each comes from, with secrets masked")
                .arg(stack(manifest)),
        );
    command = command.subcommand(
        Command::new("upstream")
            .about("List every command that a restore may send to the stack's upstream, for its allow list")
            .arg(stack(manifest)),
    );
    let Some(manifest) = manifest else { return Ok(command) };
    let on_a_stack = tasks_on_a_stack(manifest);
    // A part of other tasks may be looked at, though it is never done alone.
    let looks_on = args.iter().any(|arg| arg == "--dry-run" || arg == "-n");
    for (name, task) in manifest.tasks.iter().filter(|(_, task)| looks_on || !task.def.private) {
        let about = task.def.about.clone().unwrap_or_default();
        let mut of_task = Command::new(name.clone()).about(about).hide(task.def.private);
        if args.iter().any(|arg| arg == name.as_str()) {
            if on_a_stack.contains(name.as_str()) {
                of_task = of_task.arg(stack(Some(manifest)));
            }
            let (params, secrecy) = (params_of(manifest, name)?, Secrecy::of(manifest));
            let args = params.into_iter();
            of_task = of_task.args(args.map(|(param, def)| of_param(param, def, &secrecy)));
        }
        command = command.subcommand(of_task);
    }
    Ok(command)
}

fn of_param(name: &str, def: &ParamDef, secrecy: &Secrecy) -> Arg {
    let arg = Arg::new(name.to_owned()).help(def.help.clone().unwrap_or_default());
    if def.flag {
        return arg.long(name.to_owned()).action(ArgAction::SetTrue);
    }
    let arg = if def.rest {
        let shown = name.trim_end_matches('s').to_ascii_uppercase();
        arg.num_args(0..).value_name(shown)
    } else {
        let arg = arg.long(name.to_owned()).value_name(name.to_ascii_uppercase());
        match &def.default {
            Some(default) => arg
                .default_value(default.clone())
                .hide_default_value(secrecy.is_secret_value(name, default)),
            None => arg.required(true),
        }
    };
    match def.choices.is_empty() {
        true => arg,
        false => arg.value_parser(PossibleValuesParser::new(def.choices.clone())),
    }
}

fn stack(manifest: Option<&Manifest>) -> Arg {
    let arg = Arg::new(STACK).required(true).help("Name of the stack");
    match manifest {
        Some(manifest) if !manifest.stacks.is_empty() => {
            let names: Vec<String> = manifest.stacks.keys().cloned().collect();
            arg.value_parser(PossibleValuesParser::new(names))
                .hide_possible_values(true)
        }
        _ => arg,
    }
}
