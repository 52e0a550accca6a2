//! The filestores of a database: live, previous, incoming; and the way from one to the other.
//!
//! Of each filestore it is noted which run brought it, as a database carries that in its comment. Whoever finds a live
//! database and a live filestore of different runs knows that a swap was cut off between the two, and which folder is the
//! right one. A folder of which nothing is noted matches nothing.
//!
//! The steps of a swap, each one of them whole: the older previous folder steps aside (`__retired_`), live and incoming
//! are exchanged, what was live becomes the previous one. Only then is anything removed.
//!
//! All of it is done in folders that are held open, without following a link: see [`Folder`].

use camino::Utf8PathBuf;

use super::filestore_copy::{FILESTORE, is_content};
use super::filestore_records::{Mark, PRIVATE, Records};
use super::state_root::owner;
use super::{ActionError, Handed};
use crate::host::{Folder, PathError};
use crate::postgres::Names;
use crate::stack::{Paths, Stack};

mod clear;
mod copies;
mod mend;

use copies::own_name;

/// The folder of filestores in Odoo's data folder.
const FILESTORES: &str = "filestore";

/// How the folders are called with which the exchange of two names is tried.
const TRIAL: &str = ".opw-task-trial-";

/// The filestores of one database.
#[derive(Debug, Clone)]
pub(super) struct FilestorePair {
    paths: Paths,
    live: String,
    previous: String,
    incoming_prefix: String,
    retired_prefix: String,
    /// Who owns filestores, where that is ours to say.
    owner: Option<(u32, u32)>,
}

/// The folders that are worked in, held open.
struct Held {
    records: Records,
    data: Folder,
    filestores: Folder,
}

/// The copy of a run, wherever it lies.
struct Copy {
    above: Folder,
    name: String,
    folder: Folder,
}

impl FilestorePair {
    /// The filestores beside a stack's live database.
    pub(super) fn of(stack: &Stack, names: &Names) -> Self {
        Self {
            paths: stack.paths.clone(),
            live: names.live().as_str().to_owned(),
            previous: names.previous().as_str().to_owned(),
            incoming_prefix: names.incoming_prefix(),
            retired_prefix: names.retired_prefix(),
            // Ownership can only be set by root; for others the files are their own, which Odoo's user on a laptop is.
            owner: rustix::process::geteuid().is_root().then(|| owner(stack)),
        }
    }

    /// Where the filestore lies that serves, for messages.
    pub(super) fn live(&self) -> Utf8PathBuf {
        self.paths.filestore(&self.live)
    }

    /// Where a run's copy comes to lie, for messages. (Beside the live filestore, if that is on a file system of its own.)
    pub(super) fn incoming(&self, run: &str) -> Utf8PathBuf {
        let own = Records::path(&self.paths, &self.live);
        own.join(own_name(run)).join("files")
    }

    /// Who owns filestores, where that is ours to say.
    pub(super) fn owner(&self) -> Option<(u32, u32)> {
        self.owner
    }

    /// Makes sure, before anything is stopped, that the swap can be done: the copy is whole and on the disk, and the
    /// file system can exchange two names. From here on a run that is cut off leaves a note of it.
    pub(super) async fn prepare(&self, run: &str) -> Result<(), ActionError> {
        let (pair, run) = (self.clone(), run.to_owned());
        blocking(move || pair.prepare_now(&run)).await
    }

    /// Puts the incoming filestore in the live one's place and keeps that as the previous one. A database that is kept
    /// and had no files keeps an empty folder.
    pub(super) async fn activate(&self, run: &str, kept: bool) -> Result<(), ActionError> {
        let (pair, run) = (self.clone(), run.to_owned());
        blocking(move || {
            let held = pair.held()?;
            let copy = pair.find(&held, &run)?.ok_or_else(not_whole)?;
            pair.put_in_place(&held, &copy, &run, kept)
        })
        .await
    }

    /// Refuses where the previous filestore is not there, or has lost folders since it was put aside: nobody but a person
    /// removes any.
    pub(super) async fn can_roll_back(&self) -> Result<(), ActionError> {
        let pair = self.clone();
        blocking(move || {
            let held = pair.held()?;
            let Some(previous) = held.filestores.folder(&pair.previous)? else {
                return Err(pair.files_gone(None));
            };
            let had = held.records.mark(&previous)?.and_then(|mark| mark.folders);
            let has = folders(&previous)?;
            match had {
                Some(had) if has < had => Err(pair.files_gone(Some((had, has)))),
                _ => Ok(()),
            }
        })
        .await
    }

    /// Exchanges the live and the previous filestore.
    pub(super) async fn rollback(&self) -> Result<(), ActionError> {
        let pair = self.clone();
        blocking(move || pair.exchange_with_previous(&pair.held()?)).await
    }

    /// Notes that live database and live filestore are about to change places with others.
    pub(super) async fn note_swap(&self) -> Result<(), ActionError> {
        let pair = self.clone();
        blocking(move || Ok(Records::make(&pair.paths.root, &pair.live)?.note_swap()?)).await
    }

    /// Whether a swap was begun and is not known to have ended.
    ///
    /// # Errors
    /// If that cannot be known: the web must not be started on a guess.
    pub(super) fn swap_was_cut_off(&self) -> Result<bool, ActionError> {
        if let Some(records) = Records::open(&self.paths.root, &self.live)?
            && records.swap_is_noted()?
        {
            return Ok(true);
        }
        // Where earlier versions noted it.
        if !self.paths.data.is_dir() {
            return Ok(false);
        }
        match Folder::open(&self.paths.data)?.folder(FILESTORES)? {
            Some(filestores) => Ok(filestores.has_file(&self.earlier_note())?),
            None => Ok(false),
        }
    }

    /// Brings the filestores into the state that the live database's run says they should be in, and removes what no
    /// database will want: no run is at work, the caller holds the lock. Says what it did.
    pub(super) async fn mend(&self, live_run: Option<String>, kept: bool) -> Result<Vec<String>, ActionError> {
        let pair = self.clone();
        blocking(move || pair.mend_now(live_run.as_deref(), kept)).await
    }

    /// Removes filestores that stepped aside for good, and the note of the swap. This can take minutes.
    pub(super) async fn tidy(&self) -> Result<(), ActionError> {
        let pair = self.clone();
        blocking(move || pair.tidy_now(&pair.held()?).map(drop)).await
    }

    /// Where a swap is noted that was begun and is not known to have ended: here, and by earlier versions.
    pub(super) fn notes(&self) -> [Utf8PathBuf; 2] {
        [
            Records::swap(&self.paths, &self.live),
            self.paths.data.join(FILESTORES).join(self.earlier_note()),
        ]
    }

    fn earlier_note(&self) -> String {
        format!(".{}opw-task-swap", self.retired_prefix)
    }

    fn held(&self) -> Result<Held, ActionError> {
        let data = Folder::open(&self.paths.data)?;
        let filestores = match data.folder(FILESTORES)? {
            Some(filestores) => filestores,
            None => {
                let made = data.folder_made(FILESTORES, FILESTORE)?;
                made.give(self.owner, FILESTORE)?;
                made
            }
        };
        Ok(Held {
            records: Records::make(&self.paths.root, &self.live)?,
            data,
            filestores,
        })
    }

    fn must_be_of(&self, held: &Held, folder: &Folder, run: &str) -> Result<(), ActionError> {
        match held.records.mark(folder)? {
            Some(mark) if mark.run == run => Ok(()),
            _ => Err(not_whole()),
        }
    }

    fn prepare_now(&self, run: &str) -> Result<(), ActionError> {
        let held = self.held()?;
        let copy = self.find(&held, run)?.ok_or_else(not_whole)?;
        self.must_be_of(&held, &copy.folder, run)?;
        copy.folder.write_out()?;
        let trial = format!("{TRIAL}{run}");
        let places = [&copy.above, &held.filestores];
        for place in places {
            place.make(&trial, PRIVATE)?;
        }
        let exchanged = copy.above.exchange(&trial, &held.filestores, &trial);
        for place in places {
            place.remove(&trial)?;
        }
        Ok(exchanged?)
    }

    fn put_in_place(&self, held: &Held, copy: &Copy, run: &str, kept: bool) -> Result<(), ActionError> {
        let filestores = &held.filestores;
        let live = filestores.folder(&self.live)?;
        if live.is_some() || kept {
            self.retire_previous(held, run)?;
        }
        let Some(live) = live else {
            if kept {
                self.make_empty(filestores)?;
            }
            return Ok(copy.above.rename(&copy.name, filestores, &self.live)?);
        };
        put_aside(&held.records, &live)?;
        copy.above.exchange(&copy.name, filestores, &self.live)?;
        Ok(copy.above.rename(&copy.name, filestores, &self.previous)?)
    }

    fn retire_previous(&self, held: &Held, run: &str) -> Result<(), ActionError> {
        if held.filestores.look(&self.previous)?.is_some() {
            let retired = format!("{}{run}", self.retired_prefix);
            held.filestores.rename(&self.previous, &held.filestores, &retired)?;
        }
        Ok(())
    }

    /// An empty previous filestore: that of a database which had no files.
    fn make_empty(&self, filestores: &Folder) -> Result<(), ActionError> {
        let empty = filestores.folder_made(&self.previous, PRIVATE)?;
        Ok(empty.give(self.owner, FILESTORE)?)
    }

    fn exchange_with_previous(&self, held: &Held) -> Result<(), ActionError> {
        let filestores = &held.filestores;
        // One that a person brought back as root would be closed to Odoo.
        if let (Some(owner), Some(previous)) = (self.owner, filestores.folder(&self.previous)?)
            && previous.facts()?.st_uid != owner.0
        {
            previous.give(Some(owner), FILESTORE)?;
        }
        match filestores.folder(&self.live)? {
            Some(live) => {
                put_aside(&held.records, &live)?;
                Ok(filestores.exchange(&self.previous, filestores, &self.live)?)
            }
            None => {
                filestores.rename(&self.previous, filestores, &self.live)?;
                self.make_empty(filestores)
            }
        }
    }

    fn files_gone(&self, count: Option<(usize, usize)>) -> ActionError {
        ActionError::FilesGone {
            database: self.previous.clone(),
            path: self.paths.filestore(&self.previous),
            count,
        }
    }
}

/// Notes of a filestore how many folders it has, and that opw-task did not bring it if it did not.
fn put_aside(records: &Records, filestore: &Folder) -> Result<(), ActionError> {
    let run = records.mark(filestore)?.map(|mark| mark.run).unwrap_or_default();
    let folders = Some(folders(filestore)?);
    Ok(records.set_mark(filestore, &Mark { run, folders })?)
}

/// How many folders with contents a filestore has.
fn folders(filestore: &Folder) -> Result<usize, PathError> {
    let entries = filestore.entries()?.into_iter();
    Ok(entries.filter(|(name, kind)| kind.is_dir() && is_content(name)).count())
}

fn brought_by(run: &str) -> Mark {
    Mark {
        run: run.to_owned(),
        folders: None,
    }
}

fn not_whole() -> ActionError {
    ActionError::NotHandedOver(Handed::Files)
}

/// Runs work on files on a thread of its own.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ActionError> + Send + 'static,
) -> Result<T, ActionError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(_) => Err(ActionError::Interrupted),
    }
}

#[cfg(test)]
mod tests;
