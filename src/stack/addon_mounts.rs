//! The folders of addons that are mounted instead of the image's: those of the checkout that `LOCAL_ADDONS_DIRS` names.
//!
//! A variable of an env file could mount any folder of the host into containers that run Odoo's code, so what lies outside of
//! the checkout must be allowed by the stack's `mounts-outside` too.

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};

use super::folders::FoldersError;
use super::{Stack, StackError, plain};
use crate::host::Host;

const VARIABLE: &str = "LOCAL_ADDONS_DIRS";

/// The overlay that mounts them.
const OVERLAY: &str = "dev-mounts";

/// Where the image has its folders.
const IN_CONTAINER: &str = "/volumes";

/// Folders there that are not for addons.
const TAKEN: [&str; 3] = ["data", "logs", "config"];

/// A folder of the host that is mounted in the stack's Odoo containers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddonMount {
    /// The folder on the host.
    pub source: Utf8PathBuf,
    /// Where the containers see it.
    pub target: Utf8PathBuf,
}

impl Stack {
    /// The folders of addons that are mounted. What [`Stack::guard`] refuses is left out.
    #[must_use]
    pub fn addon_mounts(&self) -> Vec<AddonMount> {
        self.entries()
            .filter_map(|entry| self.addon_mount(entry).ok().flatten())
            .collect()
    }

    /// Refuses `LOCAL_ADDONS_DIRS` that would mount what lies outside of the checkout, or over the stack's own folders.
    ///
    /// # Errors
    /// [`FoldersError::Outside`].
    pub(super) fn guard_addons(&self) -> Result<(), StackError> {
        let mut targets = Vec::new();
        for entry in self.entries() {
            let mount = self.addon_mount(entry).map_err(|why| self.outside(entry, why))?;
            let Some(mount) = mount else { continue };
            if targets.contains(&mount.target) {
                return Err(self.outside(entry, "would be mounted where another one is"));
            }
            targets.push(mount.target);
        }
        Ok(())
    }

    fn outside(&self, entry: &str, why: &'static str) -> StackError {
        let origin = self.variables.origin(VARIABLE).map(ToString::to_string);
        StackError::Folders(Box::new(FoldersError::Outside {
            stack: self.name.clone(),
            entry: entry.to_owned(),
            why,
            origin: origin.unwrap_or_default(),
        }))
    }

    /// What is named, if the stack mounts addons at all. Older env files have colons between the names.
    fn entries(&self) -> impl Iterator<Item = &str> {
        let mounts = self.overlays.iter().any(|overlay| overlay == OVERLAY);
        let named = self.variables.text(VARIABLE).unwrap_or("addons");
        let named = if mounts { named } else { "" };
        named
            .split([',', ':', '\n'])
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
    }

    fn addon_mount(&self, entry: &str) -> Result<Option<AddonMount>, &'static str> {
        let path = Utf8Path::new(entry);
        if path.components().any(|part| part == Utf8Component::ParentDir) {
            return Err("leads out of the checkout");
        }
        let mut from_image = false;
        let within = if path.is_relative() {
            plain(path)
        } else if let Ok(within) = path.strip_prefix(&self.checkout) {
            plain(within)
        } else if let Ok(within) = path.strip_prefix(IN_CONTAINER) {
            // Older env files name the folders by what the containers call them.
            from_image = true;
            plain(within)
        } else if self.mounts_outside.iter().any(|may| path.starts_with(may)) {
            let name = path.file_name().ok_or("has no name")?;
            return Self::free(Utf8Path::new(name)).map(|target| {
                Some(AddonMount {
                    source: plain(path),
                    target,
                })
            });
        } else {
            return Err("lies outside of the checkout");
        };
        let mount = AddonMount {
            source: self.checkout.join(&within),
            target: Self::free(&within)?,
        };
        // What the checkout has not is the image's: an empty folder would hide it.
        let is_there = self.host == Host::Local && mount.source.is_dir();
        Ok(Some(mount).filter(|_| is_there || !from_image))
    }

    /// Where the containers see a folder of the checkout.
    fn free(within: &Utf8Path) -> Result<Utf8PathBuf, &'static str> {
        let first = within.components().next().map(|part| part.as_str());
        match first {
            None => Err("is the whole checkout"),
            Some(first) if TAKEN.contains(&first) => Err("would hide a folder that the stack mounts itself"),
            Some(_) => Ok(Utf8Path::new(IN_CONTAINER).join(within)),
        }
    }
}
