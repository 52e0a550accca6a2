//! `restore` and the filestore: a private key that Odoo keeps in a file does not come with it.

use std::fs;

use crate::world::{Plan, Upstream};

/// A private key of the module `certificate`, a picture, and a file whose row production has deleted.
const FILES: [(&str, Option<(&str, &str)>); 3] = [
    ("the private key CANARY", Some(("certificate.key", "content"))),
    ("a picture", Some(("res.partner", "image_128"))),
    ("deleted CANARY", None),
];

#[test]
fn a_private_key_in_the_filestore_stays_with_production() {
    let upstream = Upstream::own("keys");
    let mut names = Vec::new();
    for (content, field) in FILES {
        let name = upstream.add_file(content);
        if let Some((model, field)) = field {
            upstream.sql(&format!(
                "INSERT INTO ir_attachment (name, type, res_model, res_field, store_fname, checksum)
                 VALUES ('{field}', 'binary', '{model}', '{field}', '{name}', '{}')",
                &name[3..]
            ));
        }
        names.push(name);
    }
    let shop = Plan::named("keys").upstream(&upstream).make();
    // The second time everything that is live is there to be linked to.
    for _ in 0..2 {
        shop.does(&["restore", "shop", "--verbose"])
            .says(&["removed 2 files that no attachment of the copy names"]);
        let live = shop.filestores().join("shop");
        let is_there: Vec<bool> = names.iter().map(|name| live.join(name).exists()).collect();
        assert_eq!(is_there, [false, true, false]);
        assert_eq!(fs::read_to_string(live.join(&names[1])).unwrap(), "a picture");
        let rows = "SELECT string_agg(res_model, ' ') FROM ir_attachment WHERE res_field IS NOT NULL";
        assert_eq!(shop.sql(rows), "res.partner");
    }
    upstream.drop();
}
