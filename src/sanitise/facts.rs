//! What sanitising must know of the stack.

use std::collections::BTreeMap;

use super::module_files::ModuleFile;
use super::policy::PolicyPart;
use crate::secret::Secret;

/// What sanitising must know of the stack, beside the policy.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The name of the upstream that the copy is of; empty where that is unknown.
    pub source: String,
    /// The address under which the stack is reached.
    pub base_url: String,
    /// The administrator's password in the copy; without it the administrator gets the generated one.
    pub admin_password: Option<Secret>,
    /// What an earlier pass of the same run made of it; see [`Report::admin_hash`](super::Report::admin_hash).
    pub admin_hash: Option<Secret>,
    /// Names of production that the copy must not speak of: the upstream's host, and what an earlier
    /// [`Report`](super::Report) of the same copy gathered before it was sanitised.
    pub production_names: Vec<String>,
    /// The stack's variables, for rules that read them.
    pub variables: BTreeMap<String, Secret>,
    /// Where each part of the policy stands, for the report.
    pub policy_parts: Vec<PolicyPart>,
    /// Modules' own `data/neutralize.sql`, in the order in which they run.
    pub module_files: Vec<ModuleFile>,
}
