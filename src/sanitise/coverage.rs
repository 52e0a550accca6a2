//! Installed modules that look like an integration and that no rule names.

use std::collections::BTreeMap;

use tokio_postgres::GenericClient;

use super::catalogue::Catalogue;
use super::error::SanitiseError;
use super::facts::Facts;
use super::format;
use super::report::NotCovered;
use super::rule_set::RuleSet;

const FIELDS: &str = "
SELECT d.module::text, f.model::text, f.name::text
FROM ir_model_data d JOIN ir_model_fields f ON d.model = 'ir.model.fields' AND d.res_id = f.id
WHERE f.ttype IN ('char', 'text', 'json', 'binary') AND f.store
ORDER BY d.module, f.model, f.name";

/// Installed modules without a rule and without a file of their own whose own fields have a credential's name.
pub(super) async fn not_covered(
    client: &impl GenericClient,
    catalogue: &Catalogue,
    rules: &RuleSet,
    facts: &Facts,
) -> Result<Vec<NotCovered>, SanitiseError> {
    let needed = ["ir_model_data.res_id", "ir_model_fields.ttype", "ir_model_fields.store"];
    if !needed.iter().all(|name| catalogue.has(name)) {
        return Ok(Vec::new());
    }
    let mut modules = BTreeMap::<String, Vec<String>>::new();
    for row in client
        .query(FIELDS, &[])
        .await
        .map_err(SanitiseError::server("read the modules' fields"))?
    {
        let (module, model, name): (String, String, String) = (row.get(0), row.get(1), row.get(2));
        // A model without a table is a mixin: its fields stand in the tables of others.
        let stored = catalogue.table(&model.replace('.', "_")).is_some();
        let has_file = facts.module_files.iter().any(|file| file.module == module);
        if stored && !has_file && format::names_a_credential(&name) && !rules.covers(&module) {
            modules.entry(module).or_default().push(format!("{model}.{name}"));
        }
    }
    let installed = |module: &String| catalogue.modules().any(|known| known == module);
    Ok(modules
        .into_iter()
        .filter(|(module, _)| installed(module))
        .map(|(module, fields)| NotCovered { module, fields })
        .collect())
}
