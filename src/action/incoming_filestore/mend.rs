//! What a run that was ended left of the filestores, and how it is finished or removed.

use super::{Copy, FilestorePair, Held, TRIAL};
use crate::action::ActionError;
use crate::host::Folder;

impl FilestorePair {
    /// `kept` tells whether a previous database is kept.
    pub(super) fn mend_now(&self, live_run: Option<&str>, kept: bool) -> Result<Vec<String>, ActionError> {
        let held = self.held()?;
        let mut done = Vec::new();
        if let Some(run) = live_run
            && !self.is_of(&held, held.filestores.folder(&self.live)?.as_ref(), run)?
        {
            let copy = self.find(&held, run)?;
            let brought = match copy {
                Some(copy) if self.is_of(&held, Some(&copy.folder), run)? => Some(copy),
                _ => None,
            };
            let previous = held.filestores.folder(&self.previous)?;
            if brought.is_some() || self.is_of(&held, previous.as_ref(), run)? {
                match brought {
                    Some(copy) => self.put_in_place(&held, &copy, run, kept)?,
                    None => self.exchange_with_previous(&held)?,
                }
                done.push("finished the swap of filestores that a run was ended in".to_owned());
            }
        }
        let live = held.filestores.folder(&self.live)?;
        let live_mark = match &live {
            Some(live) => held.records.mark(live)?.map(|mark| mark.run),
            None => None,
        };
        for run in self.begun(&held)? {
            let copy = self.find(&held, &run)?;
            let was_live = copy.is_some() && live_mark.as_ref() == Some(&run);
            match copy {
                // Exchanged already: this folder is what served before.
                Some(copy) if was_live && held.filestores.look(&self.previous)?.is_none() => {
                    copy.above.rename(&copy.name, &held.filestores, &self.previous)?;
                }
                Some(copy) if was_live => {
                    let path = copy.above.path().join(&copy.name);
                    done.push(format!("{path} is kept: it may be what served before"));
                    continue;
                }
                copy => done.push(format!(
                    "removed {}, left by a run that was ended",
                    self.told(copy, &run)
                )),
            }
            self.remove_copy(&held, &run)?;
        }
        done.extend(self.tidy_now(&held)?);
        Ok(done)
    }

    /// Whether a folder is there and is what a run brought.
    pub(super) fn is_of(&self, held: &Held, folder: Option<&Folder>, run: &str) -> Result<bool, ActionError> {
        match folder {
            Some(folder) => Ok(held.records.mark(folder)?.is_some_and(|mark| mark.run == run)),
            None => Ok(false),
        }
    }

    /// The runs that left something of a copy.
    fn begun(&self, held: &Held) -> Result<Vec<String>, ActionError> {
        let beside = format!(".{}", self.incoming_prefix);
        let mut runs = Vec::new();
        for (folder, prefix) in [
            (held.records.folder(), "incoming_"),
            (&held.data, beside.as_str()),
            (&held.filestores, self.incoming_prefix.as_str()),
        ] {
            let entries = folder.entries()?.into_iter();
            runs.extend(entries.filter_map(|(name, _)| Some(name.strip_prefix(prefix)?.to_owned())));
        }
        runs.sort();
        runs.dedup();
        Ok(runs)
    }

    fn told(&self, copy: Option<Copy>, run: &str) -> String {
        match copy {
            Some(copy) => copy.above.path().join(copy.name).to_string(),
            None => self.incoming(run).to_string(),
        }
    }

    pub(super) fn remove_copy(&self, held: &Held, run: &str) -> Result<(), ActionError> {
        if let Some(copy) = self.find(held, run)? {
            held.records.forget(&copy.folder)?;
        }
        for spot in self.spots(held, run) {
            spot.above.remove(&spot.name)?;
        }
        held.filestores.remove(&format!("{}{run}", self.incoming_prefix))?;
        Ok(())
    }

    pub(super) fn tidy_now(&self, held: &Held) -> Result<Vec<String>, ActionError> {
        let mut done = Vec::new();
        for (name, kind) in held.filestores.entries()? {
            if name.starts_with(TRIAL) {
                held.filestores.remove(&name)?;
            }
            if !name.starts_with(&self.retired_prefix) {
                continue;
            }
            if kind.is_dir()
                && let Some(folder) = held.filestores.folder(&name)?
            {
                held.records.forget(&folder)?;
            }
            held.filestores.remove(&name)?;
            done.push(format!("removed {}", held.filestores.path().join(&name)));
        }
        for run in self.begun(held)? {
            // What a swap left of a run's folder is empty.
            if self.find(held, &run)?.is_none() {
                self.remove_copy(held, &run)?;
            }
        }
        for (name, _) in held.records.folder().entries()? {
            if name.starts_with(TRIAL) {
                held.records.folder().remove(&name)?;
            }
        }
        held.filestores.remove(&self.earlier_note())?;
        held.records.end_swap()?;
        Ok(done)
    }
}
