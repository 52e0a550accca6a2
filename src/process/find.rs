//! Programs on `PATH`, and how to get those that are not there.

use std::path::PathBuf;

use super::command::{Command, Env};
use super::{ProcessError, Processes};

impl Processes {
    /// Where a program is, as a command without environment of its own would find it.
    ///
    /// # Errors
    ///
    /// [`ProcessError::MissingProgram`], with how to get it.
    pub fn find(&self, program: &str) -> Result<PathBuf, ProcessError> {
        find(&Command::new(program))
    }
}

/// Where the command's program is, by the command's own `PATH` and folder.
pub(super) fn find(command: &Command) -> Result<PathBuf, ProcessError> {
    let paths = command
        .environment()
        .iter()
        .rev()
        .find(|(key, _)| key == "PATH")
        .map(|(_, value)| value);
    let paths = match paths {
        Some(Env::Plain(paths)) => Some(paths.into()),
        Some(Env::Secret(paths)) => Some(paths.expose().into()),
        Some(Env::Unset) => None,
        None => std::env::var_os("PATH"),
    };
    let folder = match command.working_folder() {
        Some(folder) => folder.as_std_path().to_owned(),
        None => std::env::current_dir().unwrap_or_default(),
    };
    which::which_in(command.program(), paths, folder).map_err(|_| ProcessError::MissingProgram {
        program: command.program().to_owned(),
        hint: hint(command.program()),
    })
}

/// How to get a program.
fn hint(program: &str) -> String {
    let debian = |package: &str| format!("install it, on Debian and Ubuntu with `apt-get install {package}`");
    match program {
        "docker" => {
            "install Docker Engine with the compose and buildx plugins: https://docs.docker.com/engine/install/".into()
        }
        "docker-compose" => {
            "compose is a plugin of docker now (`docker compose`): https://docs.docker.com/compose/install/linux/"
                .into()
        }
        "ssh" | "ssh-keygen" | "ssh-keyscan" => debian("openssh-client"),
        "psql" | "pg_dump" | "pg_restore" => debian("postgresql-client"),
        "rsync" | "git" | "sudo" => debian(program),
        "uv" => "install uv: https://docs.astral.sh/uv/getting-started/installation/".into(),
        _ => format!("install {program}, or put the folder it is in on PATH"),
    }
}
