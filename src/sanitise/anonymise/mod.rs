//! Personal data: people and companies get stand-ins.
//!
//! Rules say which columns hold what of whom, like all rules. What a row gets depends on whose it is, by the id of the
//! partner it belongs to, and on nothing that it held but the letters it was written in: nobody can be found again by
//! guessing at a digest, one person is one stand-in in all tables and in every restore, and a second run changes nothing.

mod choice;
mod fake;
mod functions;
mod leftover;
mod person;
mod words;

pub use choice::{Anonymise, FreeText};
pub(super) use fake::{Cell, Fake, Made, Whose, fits};
pub(super) use functions::{functions, prelude};
pub(super) use leftover::findings;
pub(super) use person::{Known, is_counted, known};
