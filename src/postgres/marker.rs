//! What we write on a database, so that a run killed at any instant is recognised by the next one.
//!
//! A comment on a database is transactional, readable without logging in to it, and not copied by
//! `CREATE DATABASE … TEMPLATE`: a copy never pretends to be what its template was.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How the line with our mark begins.
const SIGN: &str = "opw-task ";

/// How far a database has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It is being filled. What is in it may be half of everything.
    Restoring,
    /// Everything has arrived; production's secrets are in it.
    Restored,
    /// Production's secrets are being taken out.
    Sanitising,
    /// They were taken out; nobody has looked again yet.
    Sanitised,
    /// Every surface was read again and is clean.
    Verified,
    /// It serves.
    Live,
    /// It served before the last swap and is kept for a rollback.
    Previous,
    /// It was the previous one before the last swap and is about to be dropped.
    Retired,
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Restoring => "restoring",
            Self::Restored => "restored",
            Self::Sanitising => "sanitising",
            Self::Sanitised => "sanitised",
            Self::Verified => "verified",
            Self::Live => "live",
            Self::Previous => "previous",
            Self::Retired => "retired",
        })
    }
}

/// Our mark on a database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marker {
    /// How far the database has come.
    pub state: State,
    /// The run that brought it there.
    pub run: String,
    /// The upstream that its content comes from; empty where that is unknown.
    #[serde(default)]
    pub source: String,
    /// Since when it is in this state.
    pub since: Timestamp,
    /// How it was sanitised; none where it was not yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub treatment: Option<Treatment>,
}

/// How a database was sanitised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Treatment {
    /// What verification said of it.
    pub verdict: String,
    /// The digest of the rules and the policy.
    pub policy: String,
    /// When.
    pub at: Timestamp,
}

impl Treatment {
    /// A treatment that was verified now.
    #[must_use]
    pub fn now(verdict: impl Into<String>, policy: impl Into<String>) -> Self {
        Self {
            verdict: verdict.into(),
            policy: policy.into(),
            at: Timestamp::now(),
        }
    }
}

impl Marker {
    /// A mark made now.
    #[must_use]
    pub fn now(state: State, run: impl Into<String>, source: impl Into<String>) -> Self {
        Self {
            state,
            run: run.into(),
            source: source.into(),
            since: Timestamp::now(),
            treatment: None,
        }
    }

    /// The mark as one line. A mark is made of plain texts, so JSON can always write it.
    fn line(&self) -> String {
        serde_json::to_string(self)
            .map(|json| format!("{SIGN}{json}"))
            .unwrap_or_default()
    }
}

/// The comment on a database: people's text, and our mark as its last line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Comment {
    /// What people wrote. Never lost.
    pub text: Option<String>,
    /// What we wrote.
    pub marker: Option<Marker>,
}

impl Comment {
    /// Reads a comment. A mark that we cannot read (of a later version, or edited) counts as people's text: a database
    /// that carries it is not ours to drop.
    #[must_use]
    pub fn parse(comment: Option<&str>) -> Self {
        let Some(comment) = comment else {
            return Self::default();
        };
        let (text, last) = comment.rsplit_once('\n').unwrap_or(("", comment));
        let marker = last.strip_prefix(SIGN).and_then(|json| serde_json::from_str(json).ok());
        let text = if marker.is_some() { text } else { comment };
        Self {
            text: (!text.is_empty()).then(|| text.to_owned()),
            marker,
        }
    }

    /// The same text with another mark.
    #[must_use]
    pub fn marked(&self, marker: Marker) -> Self {
        Self {
            text: self.text.clone(),
            marker: Some(marker),
        }
    }

    /// The state, if the database is marked.
    #[must_use]
    pub fn state(&self) -> Option<State> {
        self.marker.as_ref().map(|marker| marker.state)
    }
}

impl std::fmt::Display for Comment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.text, &self.marker) {
            (Some(text), Some(marker)) => write!(f, "{text}\n{}", marker.line()),
            (Some(text), None) => f.write_str(text),
            (None, Some(marker)) => f.write_str(&marker.line()),
            (None, None) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marker() -> Marker {
        Marker {
            state: State::Restoring,
            run: "r1".into(),
            source: "opw-prod".into(),
            since: "2026-11-22T13:45:09Z".parse().unwrap(),
            treatment: None,
        }
    }

    #[test]
    fn how_it_was_sanitised_stands_in_the_mark() {
        let mut marker = marker();
        marker.treatment = Some(Treatment {
            verdict: "SANITISED".into(),
            policy: "0123".into(),
            at: marker.since,
        });
        let comment = Comment::default().marked(marker);
        assert_eq!(Comment::parse(Some(&comment.to_string())), comment);
    }

    #[test]
    fn a_mark_reads_as_it_was_written() {
        let comment = Comment::default().marked(marker());
        assert_eq!(
            comment.to_string(),
            r#"opw-task {"state":"restoring","run":"r1","source":"opw-prod","since":"2026-11-22T13:45:09Z"}"#
        );
        assert_eq!(Comment::parse(Some(&comment.to_string())), comment);
    }

    #[test]
    fn what_people_wrote_stays() {
        let human = Comment::parse(Some("the boss's database\ndo not touch"));
        assert_eq!(human.marker, None);
        let both = human.marked(marker());
        assert_eq!(Comment::parse(Some(&both.to_string())), both);
        assert_eq!(both.marked(marker()).to_string().matches(SIGN).count(), 1);
    }

    #[test]
    fn a_mark_that_cannot_be_read_is_not_ours() {
        for text in [
            r#"opw-task {"state":"frozen","run":"r","since":"2026-11-22T13:45:09Z"}"#,
            "opw-task rules",
            "opw-task {",
        ] {
            let comment = Comment::parse(Some(text));
            assert_eq!((comment.marker.clone(), comment.to_string()), (None, text.to_owned()));
        }
        assert_eq!(Comment::parse(None), Comment::default());
    }
}
