//! What a sanitised copy remembers of having been sanitised.
//!
//! Random values pose a question: sanitising twice must change nothing the second time, and yet a value that production
//! made must never pass for one of ours. The copy therefore keeps a random seed in a system parameter, together with the
//! place it was made for: the cluster's identifier and the database's oid, which survive a rename but neither a dump nor
//! a copy by template. Every random value of the copy is a digest of the seed, the column and the row's id: it can be
//! computed again, compared, and owes nothing to production. A seed that arrives with a copied database is for another
//! place and is thrown away.
//!
//! The seed is no greater secret than the tokens beside it: who can read one can read the others.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use tokio_postgres::GenericClient;
use uuid::Uuid;

use super::error::SanitiseError;
use super::own::Horizon;
use super::verdict::Verdict;

/// The system parameter that holds it.
pub(super) const PARAMETER: &str = "opw_task.sanitise";

const PLACE: &str = "
SELECT (SELECT system_identifier::text FROM pg_control_system()) || '/' || oid::text
FROM pg_database WHERE datname = current_database()";

/// What a sanitised copy remembers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Stamp {
    /// Cluster and database for which the seed was made.
    pub place: String,
    /// From which random values are derived.
    pub seed: String,
    /// When the copy was first sanitised, UTC, as Odoo writes times.
    pub at: String,
    /// The hash of the generated password, so that it is made once.
    pub password: Option<String>,
    /// What the last verification said.
    pub verdict: Option<String>,
    /// When that was: what came later is the copy's own.
    #[serde(default)]
    pub verified: Option<Horizon>,
    /// The digest of the rules and the policy with which it was treated.
    #[serde(default)]
    pub policy: String,
    /// The upstream that it is a copy of; empty where that is unknown.
    #[serde(default)]
    pub source: String,
    /// The storages of OCA's modules whose files lay in production's filestore, and so came along: afterwards all storages
    /// are of that kind. None in a copy that was sanitised before it was asked for.
    #[serde(default)]
    pub local_storages: Option<BTreeSet<String>>,
}

impl Stamp {
    /// The stamp of this very database, if it was sanitised here.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn read(client: &impl GenericClient) -> Result<Option<Self>, SanitiseError> {
        let read = "read the copy's stamp";
        let place = place(client).await?;
        let row = client
            .query_opt(
                "SELECT value::text FROM ir_config_parameter WHERE key = $1 LIMIT 1",
                &[&PARAMETER],
            )
            .await
            .map_err(SanitiseError::server(read))?;
        let text: Option<String> = row.and_then(|row| row.get(0));
        // A text that is not ours is as good as none: a new seed is made.
        let stamp = text.and_then(|text| serde_json::from_str::<Self>(&text).ok());
        Ok(stamp.filter(|stamp| stamp.place == place))
    }

    /// A new stamp for this database.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn fresh(client: &impl GenericClient) -> Result<Self, SanitiseError> {
        Ok(Self::for_place(place(client).await?))
    }

    /// A new stamp for a place.
    #[must_use]
    pub fn for_place(place: String) -> Self {
        Self {
            place,
            seed: random(),
            at: now(),
            password: None,
            verdict: None,
            verified: None,
            policy: String::new(),
            source: String::new(),
            local_storages: None,
        }
    }

    /// Writes it.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn write(&self, client: &impl GenericClient, typed: bool) -> Result<(), SanitiseError> {
        let write = "write the copy's stamp";
        let text = serde_json::to_string(self).unwrap_or_default();
        let changed = client
            .execute(
                "UPDATE ir_config_parameter SET value = $2::text WHERE key = $1::text",
                &[&PARAMETER, &text],
            )
            .await
            .map_err(SanitiseError::server(write))?;
        if changed == 0 {
            let insert = if typed {
                "INSERT INTO ir_config_parameter (key, value, type) VALUES ($1::text, $2::text, 'str')"
            } else {
                "INSERT INTO ir_config_parameter (key, value) VALUES ($1::text, $2::text)"
            };
            client
                .execute(insert, &[&PARAMETER, &text])
                .await
                .map_err(SanitiseError::server(write))?;
        }
        Ok(())
    }

    /// Since when rows are the copy's own.
    pub(super) fn horizon(&self) -> Horizon {
        self.verified.clone().unwrap_or_else(|| Horizon {
            at: self.at.clone(),
            transaction: None,
        })
    }

    /// Whether the last verification said that the copy is sanitised.
    pub(super) fn is_sanitised(&self) -> bool {
        self.verdict.as_deref() == Some(Verdict::Sanitised.to_string().as_str())
    }

    /// A value of 64 hexadecimal digits for a purpose.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> String {
        super::password::digest(&format!("{}/{purpose}", self.seed))
    }

    /// A value with the looks of a UUID for a purpose.
    #[must_use]
    pub fn derive_uuid(&self, purpose: &str) -> String {
        uuid::Builder::from_random_bytes(super::password::digest_16(&format!("{}/{purpose}", self.seed)))
            .into_uuid()
            .to_string()
    }
}

async fn place(client: &impl GenericClient) -> Result<String, SanitiseError> {
    let row = client
        .query_one(PLACE, &[])
        .await
        .map_err(SanitiseError::server("identify the database"))?;
    Ok(row.get(0))
}

/// The time as Odoo writes it.
pub(super) fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn random() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}
