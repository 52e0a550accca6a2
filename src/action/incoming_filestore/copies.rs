//! The copy of a run: how it comes to be, is lent to an Odoo that works on it, and is found again.

use rustix::fs::FileType;

use super::{Copy, FILESTORES, FilestorePair, Held, TRIAL, blocking, brought_by};
use crate::action::ActionError;
use crate::action::filestore_copy::{FILESTORE, Spot, Workplace};
use crate::host::{Folder, PathError};

impl FilestorePair {
    /// Makes the folder for a run's copy, with hard links to what the live filestore has.
    pub(in crate::action) async fn begin_copy(&self, run: &str) -> Result<Workplace, ActionError> {
        let (pair, run) = (self.clone(), run.to_owned());
        blocking(move || {
            let held = pair.held()?;
            let trial = format!("{TRIAL}{run}");
            let place = Workplace::make(&pair.spots(&held, &run), &held.filestores, &trial)?;
            place.offer(held.filestores.folder(&pair.live)?.as_ref())?;
            Ok(place)
        })
        .await
    }

    /// Makes hard links to what a run's copy has, for a second pull; none if the copy is not there.
    pub(in crate::action) async fn begin_second(&self, run: &str) -> Result<Option<Workplace>, ActionError> {
        let (pair, run) = (self.clone(), run.to_owned());
        blocking(move || {
            let held = pair.held()?;
            let Some(place) = pair.workplace(&held, &run)? else {
                return Ok(None);
            };
            let Some(copy) = place.copy()? else { return Ok(None) };
            place.offer(Some(&copy))?;
            Ok(Some(place))
        })
        .await
    }

    /// Adds what a second pull brought of these files to the copy.
    pub(in crate::action) async fn end_second(
        &self,
        place: Workplace,
        name: &'static str,
        missing: Vec<String>,
    ) -> Result<(), ActionError> {
        let owner = self.owner;
        blocking(move || {
            place.end_offer()?;
            Ok(place.add_from(name, &missing, owner)?)
        })
        .await
    }

    /// Notes of a filled folder which run brought it.
    pub(in crate::action) async fn end_copy(&self, place: Workplace, run: &str) -> Result<(), ActionError> {
        let (pair, run) = (self.clone(), run.to_owned());
        blocking(move || {
            place.end_offer()?;
            let copy = place.copy()?.ok_or_else(|| gone(place.folder(), place.name()))?;
            copy.give(pair.owner, FILESTORE)?;
            Ok(pair.held()?.records.set_mark(&copy, &brought_by(&run))?)
        })
        .await
    }

    /// The folder of a run's copy, held open.
    pub(in crate::action) async fn copy(&self, run: &str) -> Result<Option<Folder>, ActionError> {
        let (pair, run) = (self.clone(), run.to_owned());
        blocking(move || Ok(pair.find(&pair.held()?, &run)?.map(|copy| copy.folder))).await
    }

    /// Puts a run's copy where the stack's containers see it under its database's name, for an Odoo that works on it.
    pub(in crate::action) async fn lend(&self, run: &str) -> Result<(), ActionError> {
        let (pair, run) = (self.clone(), run.to_owned());
        blocking(move || {
            let held = pair.held()?;
            match pair.workplace(&held, &run)? {
                Some(place) if place.copy()?.is_some() => {
                    let name = format!("{}{run}", pair.incoming_prefix);
                    Ok(place.folder().rename(place.name(), &held.filestores, &name)?)
                }
                _ => Ok(()),
            }
        })
        .await
    }

    /// Takes it back.
    pub(in crate::action) async fn take_back(&self, run: &str) -> Result<(), ActionError> {
        let (pair, run) = (self.clone(), run.to_owned());
        blocking(move || {
            let held = pair.held()?;
            let name = format!("{}{run}", pair.incoming_prefix);
            match pair.workplace(&held, &run)? {
                Some(place) if held.filestores.look(&name)?.is_some() => {
                    held.filestores.rename(&name, place.folder(), place.name())?;
                    let copy = place.copy()?.ok_or_else(|| gone(place.folder(), place.name()))?;
                    pair.must_be_of(&held, &copy, &run)
                }
                _ => Ok(()),
            }
        })
        .await
    }

    /// Where a run's folder may lie.
    pub(super) fn spots<'a>(&self, held: &'a Held, run: &str) -> [Spot<'a>; 2] {
        let own = Spot {
            above: held.records.folder(),
            name: own_name(run),
            exposed: false,
        };
        let beside = Spot {
            above: &held.data,
            name: format!(".{}{run}", self.incoming_prefix),
            exposed: true,
        };
        [own, beside]
    }

    pub(super) fn workplace(&self, held: &Held, run: &str) -> Result<Option<Workplace>, ActionError> {
        for spot in self.spots(held, run) {
            if let Some(place) = Workplace::open(&spot)? {
                return Ok(Some(place));
            }
        }
        Ok(None)
    }

    /// The copy of a run: in its folder, or where a container saw it, or where earlier versions had it.
    pub(super) fn find(&self, held: &Held, run: &str) -> Result<Option<Copy>, ActionError> {
        for spot in self.spots(held, run) {
            if let Some(place) = Workplace::open(&spot)?
                && let Some(folder) = place.copy()?
                && let Some(above) = spot.above.folder(&spot.name)?
            {
                let name = place.name().to_owned();
                return Ok(Some(Copy { above, name, folder }));
            }
        }
        let name = format!("{}{run}", self.incoming_prefix);
        // A link that was planted there is no copy.
        let is_folder = |found: rustix::fs::Stat| FileType::from_raw_mode(found.st_mode).is_dir();
        if !held.filestores.look(&name)?.is_some_and(is_folder) {
            return Ok(None);
        }
        let Some(folder) = held.filestores.folder(&name)? else {
            return Ok(None);
        };
        let above = held.data.folder(FILESTORES)?;
        Ok(above.map(|above| Copy { above, name, folder }))
    }
}

/// The name of a run's folder in opw-task's own.
pub(super) fn own_name(run: &str) -> String {
    format!("incoming_{run}")
}

fn gone(folder: &Folder, name: &str) -> PathError {
    PathError {
        doing: "find",
        path: folder.path().join(name),
        source: std::io::ErrorKind::NotFound.into(),
    }
}
