//! The places of a stack on its host: folders and ports.

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};

use super::Stack;

/// The folders of a stack on its host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// The state root.
    pub root: Utf8PathBuf,
    /// Odoo's data folder: mounted at `/volumes/data`.
    pub data: Utf8PathBuf,
    /// PostgreSQL's data folder.
    pub database: Utf8PathBuf,
    /// Odoo's log folder: mounted at `/volumes/logs`.
    pub logs: Utf8PathBuf,
}

impl Paths {
    /// A state root can be passed through, not listed: what lies in it has its own permissions.
    pub const ROOT_MODE: u32 = 0o711;

    /// The rendered compose files.
    #[must_use]
    pub fn compose(&self) -> Utf8PathBuf {
        self.root.join("compose")
    }

    /// The merged variables, for compose.
    #[must_use]
    pub fn env_file(&self) -> Utf8PathBuf {
        self.root.join(".compose.env")
    }

    /// The rendered `odoo.conf`.
    #[must_use]
    pub fn odoo_conf(&self) -> Utf8PathBuf {
        self.root.join("config").join("odoo.conf")
    }

    /// The folder of what opw-task notes for itself, such as a swap that is under way, and in which a copy lies that does
    /// not serve yet. It is for its owner alone, and lies in no container.
    #[must_use]
    pub fn own(&self) -> Utf8PathBuf {
        self.root.join(".opw-task")
    }

    /// The lock file: whoever holds it may change the stack.
    #[must_use]
    pub fn lock(&self) -> Utf8PathBuf {
        self.root.join(".opw-task.lock")
    }

    /// The file that commands lock, shared, which a run from another machine began on this one: while one of them is at work
    /// nobody else may change the stack.
    #[must_use]
    pub fn work(&self) -> Utf8PathBuf {
        self.root.join(".opw-task.work")
    }

    /// The folder of a database's filestore.
    #[must_use]
    pub fn filestore(&self, database: &str) -> Utf8PathBuf {
        self.data.join("filestore").join(database)
    }
}

/// The published ports of a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ports {
    /// The address on which web and longpolling are published.
    pub bind: String,
    /// Odoo's HTTP port.
    pub web: Option<u16>,
    /// Odoo's longpolling or websocket port.
    pub longpoll: Option<u16>,
    /// PostgreSQL's port, on 127.0.0.1.
    pub database: Option<u16>,
}

/// A path as the manifest writes it: `~` is the home folder, relative ones begin at `base`.
pub(super) fn absolute(path: &str, base: &Utf8Path, home: Option<&str>) -> Utf8PathBuf {
    match (path.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => Utf8Path::new(home).join(rest),
        _ => base.join(path),
    }
}

/// A path without `.` and `..`, so that two ways to write it are one. Links are not followed: the host may be another.
#[must_use]
pub fn plain(path: &Utf8Path) -> Utf8PathBuf {
    let mut plain = Utf8PathBuf::new();
    for part in path.components() {
        match part {
            Utf8Component::ParentDir => {
                plain.pop();
            }
            Utf8Component::CurDir => {}
            part => plain.push(part),
        }
    }
    plain
}

impl Stack {
    /// Everything that is rendered for the stack, and its folders: what `--take-over` may name. `root` is the project's.
    #[must_use]
    pub fn places(&self, root: &Utf8Path) -> Vec<Utf8PathBuf> {
        let overlays = self.overlays.iter().map(|overlay| self.overlay_path(overlay));
        let paths = &self.paths;
        let folders = [&paths.root, &paths.data, &paths.database, &paths.logs].map(Clone::clone);
        let files = self.files.iter().map(|(path, _)| root.join(path));
        overlays
            .chain([paths.env_file(), paths.odoo_conf()])
            .chain(folders)
            .chain(files)
            .map(|path| plain(&path))
            .collect()
    }

    /// Whether the command line says that this file or folder may be taken over.
    #[must_use]
    pub fn may_take_over(&self, path: &Utf8Path) -> bool {
        self.take_over.contains(&plain(path))
    }
}
