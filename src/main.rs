//! The program: parse, run, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    opw_task::cli::main(std::env::args_os()).into()
}
