//! `restore` with `anonymise`: the copy has as many people as production, and none of them.

use std::fs;

use crate::world::{Plan, Upstream, docker};

/// Odoo's own users are nobody, and the company keeps its place.
const PEOPLE: &str = "
WITH somebody AS (
  SELECT * FROM res_partner WHERE id NOT IN (
    SELECT u.partner_id FROM res_users u JOIN ir_model_data d ON d.model = 'res.users' AND d.res_id = u.id
    WHERE d.name IN ('user_root', 'public_user')))
SELECT email FROM somebody WHERE email LIKE '%@%'
UNION SELECT phone FROM somebody WHERE length(phone) > 6
UNION SELECT street FROM somebody WHERE length(street) > 6 AND id NOT IN (SELECT partner_id FROM res_company)
UNION SELECT acc_number FROM res_partner_bank
UNION SELECT login FROM res_users WHERE login LIKE '%@%'";

#[test]
fn nobody_of_production_is_in_the_copy() {
    let upstream = Upstream::small();
    let planted = "[stacks.shop.sanitise.anonymise]\nfree-text = \"blank\"\n";
    let shop = Plan::named("people").upstream(&upstream).manifest(planted).make();
    let people = upstream.sql(PEOPLE);
    let people: Vec<&str> = people.lines().filter(|word| !word.is_empty()).collect();
    assert!(people.len() > 500, "{}", people.len());

    shop.does(&["restore", "shop", "--report", "report.md"]);
    shop.serves();

    let database = shop.container("database").unwrap();
    let dump = docker(&["exec", &database, "pg_dump", "-U", "odoo", "shop"]);
    let words: std::collections::BTreeSet<&str> = dump.split(['\t', '\n']).collect();
    let left: Vec<_> = people.iter().filter(|word| words.contains(**word)).collect();
    assert!(left.is_empty(), "{left:?}");
    let inside: Vec<_> = people
        .iter()
        .filter(|word| word.contains('@') && dump.contains(**word))
        .collect();
    assert!(inside.is_empty(), "{inside:?}");

    // All of them are there as somebody else.
    for count in ["res_partner", "mail_message", "res_partner_bank"] {
        let select = format!("SELECT count(*) FROM {count}");
        assert_eq!(shop.sql(&select), upstream.sql(&select), "{count}");
    }
    let somebody = "SELECT count(*) FROM res_partner WHERE email LIKE '%@people.invalid'";
    assert!(shop.sql(somebody).parse::<usize>().unwrap() > 150);
    let report = fs::read_to_string(shop.path("report.md")).unwrap();
    assert!(report.contains("anonymise-partners"), "{report}");
    let functions = "SELECT count(*) FROM pg_proc WHERE proname LIKE 'fake%'";
    assert_eq!(shop.sql(functions), "0");

    // An audit agrees, and so does a second restore.
    shop.does(&["audit", "shop"]);
    shop.does(&["restore", "shop"]);
    shop.does(&["audit", "shop"]);
}
