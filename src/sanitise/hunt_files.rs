//! The hunt among attachments: fields of credential kind whose content Odoo keeps in its filestore, and files that are
//! keys by their name. The row is what leads to the file; a file that no row names is removed from a copy's filestore.

use postgres_protocol::escape::escape_literal;
use tokio_postgres::GenericClient;

use super::bindings::Bindings;
use super::catalogue::Catalogue;
use super::error::SanitiseError;
use super::finding::Clue;
use super::format;
use super::hunt::{self, Removal, Trace};
use super::own::{self, Own};
use super::statement::Sql;

const TABLE: &str = "ir_attachment";

const FIELDS: &str = "
SELECT res_model::text, res_field::text FROM ir_attachment
WHERE res_model IS NOT NULL AND res_field IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2";

/// Names of files that hold a private key or a vault. Certificates alone (`.crt`, `.cer`) are public.
const KEY_FILES: &str = r"lower(name) ~ '\.(pem|p12|pfx|ppk|jks|keystore|kdbx|ovpn)$|^id_(rsa|dsa|ecdsa|ed25519)$'";

/// Attachments that are credentials.
pub(super) async fn run(
    client: &impl GenericClient,
    catalogue: &Catalogue,
    bindings: &Bindings<'_>,
) -> Result<Vec<Trace>, SanitiseError> {
    let needed = [
        "ir_attachment.res_model",
        "ir_attachment.res_field",
        "ir_attachment.name",
    ];
    if !needed.iter().all(|name| catalogue.has(name)) {
        return Ok(Vec::new());
    }
    let fields = client
        .query(FIELDS, &[])
        .await
        .map_err(SanitiseError::server("look for keys among attachments"))?;
    let fields = fields
        .iter()
        .map(|row| (row.get::<_, String>(0), row.get::<_, String>(1)));
    let fields = fields.filter(|(model, field)| holds_a_key(model, field));
    let fields = fields.map(|(model, field)| {
        let condition = format!(
            "res_model = {} AND res_field = {}",
            escape_literal(&model),
            escape_literal(&field)
        );
        (format!("{model}.{field}"), condition)
    });
    let files = [("name".to_owned(), KEY_FILES.to_owned())];
    let mut traces = Vec::new();
    for (column, condition) in fields.chain(files) {
        let mut select = Sql::default();
        // In a copy that lives, people may have given it keys of its own.
        let own = own::condition(Own::Made, TABLE, catalogue, &mut select, bindings);
        let removal = Sql {
            text: format!("DELETE FROM {TABLE} WHERE {condition}"),
            parameters: Vec::new(),
        };
        let counted = own::counted(own.as_ref());
        select.text = format!("SELECT {counted} FROM {TABLE} WHERE {condition}");
        let trace = Trace {
            table: TABLE.to_owned(),
            column,
            clue: Clue::Name,
            count: 0,
            removal: Some(Removal::Sql(removal)),
            own: false,
        };
        let own = own.map(|_| trace.of_its_own());
        let both = std::iter::once(trace).chain(own).collect();
        traces.extend(hunt::fill(client, &select, both).await?);
    }
    Ok(traces)
}

/// Whether the files of a model's field are likely to be private keys: by the field's name, or because the model is about
/// certificates or keys (`certificate.key`, `l10n_es_edi.certificate`), whose files are.
fn holds_a_key(model: &str, field: &str) -> bool {
    format::names_a_credential(field)
        || (model.split('.').any(|part| ["certificate", "key"].contains(&part)) && !field.starts_with("image"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_keys() {
        for (model, field) in [
            ("certificate.key", "content"),
            ("l10n_es_edi.certificate", "content"),
            ("res.company", "l10n_ar_afip_ws_key_file"),
            ("bank.link", "client_p12"),
        ] {
            assert!(holds_a_key(model, field), "{model}.{field}");
        }
        for (model, field) in [
            ("res.partner", "image_1920"),
            ("product.public.category", "image_128"),
            ("ir.ui.menu", "web_icon_data"),
            ("gift.certificate", "image_256"),
        ] {
            assert!(!holds_a_key(model, field), "{model}.{field}");
        }
    }
}
