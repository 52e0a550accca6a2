//! New tokens look like the old ones: what compares them, and the columns that hold them, go by their looks.

use opw_task::sanitise::{Verdict, audit, sanitise, verify};
use tokio_postgres::Client;

use crate::sanitise::look::assert_found;
use crate::sanitise::odoo;
use crate::sanitise::promises::{everything, text};

/// Tokens, and what the new ones look like.
const TOKENS: [(&str, &str); 15] = [
    (
        "60325319-d4ce-4af4-8c62-1ce4be415818",
        "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
    ),
    (
        "8D3DA73D-9D7F-4E09-96D4-3D44E7A83EA3",
        "^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$",
    ),
    ("f9d24e459528093a790f38e5cc989a8d", "^[0-9a-f]{32}$"),
    ("f9d24e45", "^[0-9a-f]{8}$"),
    ("d", "^[a-f]$"),
    ("F9D24E459528", "^[0-9A-F]{12}$"),
    ("12345678", "^[0-9]{8}$"),
    ("4kq8zr2m", "^[0-9a-z]{8}$"),
    ("044B-90-CODE", "^[0-9A-Za-z_-]{12}$"),
    ("4KQ8ZR2MXX", "^[0-9A-Z]{10}$"),
    ("aZ", "^[A-Z][a-z]$"),
    ("kJ8xNq3WmPzR5tYvB7cD", "^[0-9A-Za-z]{20}$"),
    ("Qm9_yX-3kLw7RtZp0AaBbC", "^[0-9A-Za-z_-]{22}$"),
    ("Qm9/yX+3kLw7RtZp0AaBbC==", "^[0-9A-Za-z+/]{24}$"),
    ("the Schlüssel: 17", "^[0-9A-Za-z_-]{17}$"),
];

async fn lists(client: &Client, select: &str) -> Vec<String> {
    let rows = client.query(select, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn a_new_token_has_the_length_and_the_alphabet_of_the_old_one() {
    let mut client = odoo::database("renewals", 18).await;
    client
        .batch_execute(
            "CREATE TABLE sale_order (id serial PRIMARY KEY, access_token varchar);
             CREATE TABLE dock_slot (id serial PRIMARY KEY, a varchar, b varchar(10), c text, d uuid);
             INSERT INTO dock_slot (a, b, c, d) VALUES ('CANARY', 'CANARY', 'CANARY', gen_random_uuid()), (NULL, '', NULL, NULL)",
        )
        .await
        .unwrap();
    let long = "0aZ".repeat(200);
    let tokens: Vec<_> = TOKENS.iter().map(|(old, _)| *old).chain([long.as_str(), ""]).collect();
    // Each twice: equal tokens of two rows are not equal afterwards.
    for token in tokens.iter().chain(&tokens) {
        client
            .execute("INSERT INTO sale_order (access_token) VALUES ($1)", &[token])
            .await
            .unwrap();
    }
    let mut rules = odoo::rules();
    let own = "[[rule]]\nname = 'slots'\nwhy = 'A test'\nmodule = 'dock'\ntable = 'dock_slot'\n\
               renew = { a = 'uuid', b = 'url-safe 22', c = 'digits 100' }\n\
               [[rule]]\nname = 'slot-ids'\nwhy = 'A test'\nmodule = 'dock'\ntable = 'dock_slot'\nrenew = ['d']\n";
    rules.extend_from("own.toml".into(), own).unwrap();
    let (policy, stack) = (odoo::policy(), odoo::stack());
    let id = text(&client, "SELECT d::text FROM dock_slot WHERE id = 1").await;
    sanitise(&mut client, &rules, &policy, &stack).await.unwrap();

    let new = lists(&client, "SELECT access_token FROM sale_order ORDER BY id").await;
    for (at, (old, looks)) in TOKENS.iter().enumerate() {
        let first = &new[at];
        let matches = format!("SELECT ('{first}' ~ '{looks}')::text");
        assert_eq!(text(&client, &matches).await.unwrap(), "true", "{old} became {first}");
        assert_ne!(first, old);
        if old.len() > 7 {
            assert_ne!(*first, new[at + tokens.len()], "{old}");
        }
    }
    assert_eq!((new[TOKENS.len()].len(), new[TOKENS.len() + 1].as_str()), (250, ""));
    let slots = "SELECT concat_ws(' ', a ~ '^[0-9a-f-]{36}$', b ~ '^[0-9A-Za-z_-]{10}$', c ~ '^[0-9]{100}$') FROM dock_slot WHERE id = 1";
    assert_eq!(text(&client, slots).await.unwrap(), "t t t");
    assert_ne!(text(&client, "SELECT d::text FROM dock_slot WHERE id = 1").await, id);
    let empty = "SELECT coalesce(a || b || c || d, 'nothing') FROM dock_slot WHERE id = 2";
    assert_eq!(text(&client, empty).await.unwrap(), "nothing");

    // They are of the kind from which they were made: a second pass changes nothing.
    let before = everything(&client).await;
    let second = sanitise(&mut client, &rules, &policy, &stack).await.unwrap();
    assert_eq!((second.rows(), second.findings.len()), (0, 0));
    assert_eq!(everything(&client).await, before);
    assert!(verify(&mut client, (), &rules, &policy, &stack).await.is_ok());
}

#[tokio::test]
async fn what_is_no_token_is_not_taken_for_one() {
    let mut client = odoo::database("visitors", 19).await;
    client
        .batch_execute(
            "CREATE TABLE website_visitor (id serial PRIMARY KEY, partner_id int, access_token varchar NOT NULL UNIQUE);
             INSERT INTO website_visitor (partner_id, access_token) VALUES
               (NULL, 'f9d24e459528093a790f38e5cc989a8d'), (21, '21'), (2, '2'), (NULL, 'website_livechat_visitor_11_demo')",
        )
        .await
        .unwrap();
    let (rules, policy, stack) = (odoo::rules(), odoo::policy(), odoo::stack());
    let report = sanitise(&mut client, &rules, &policy, &stack).await.unwrap();
    assert!(
        report.findings.iter().all(|one| one.table != "website_visitor"),
        "{:#?}",
        report.findings
    );
    let seen = "SELECT string_agg(CASE WHEN access_token ~ '^[0-9a-f]{32}$' THEN 'new' ELSE access_token END, ' ' ORDER BY id) FROM website_visitor";
    assert_eq!(text(&client, seen).await.unwrap(), "new 21 2 new");
    let old = "SELECT count(*)::text FROM website_visitor WHERE access_token = 'f9d24e459528093a790f38e5cc989a8d'";
    assert_eq!(text(&client, old).await.unwrap(), "0");
    assert!(verify(&mut client, (), &rules, &policy, &stack).await.is_ok());
}

#[tokio::test]
async fn a_token_that_something_compares_is_never_empty() {
    let mut client = odoo::database("compared", 19).await;
    client
        .batch_execute(
            "CREATE TABLE IF NOT EXISTS res_company (id serial PRIMARY KEY, name varchar);
             ALTER TABLE res_company ADD COLUMN IF NOT EXISTS attendance_kiosk_key varchar, ADD COLUMN IF NOT EXISTS sms_api_token varchar;
             DELETE FROM res_company;
             INSERT INTO res_company (attendance_kiosk_key, sms_api_token) VALUES
               ('f9d24e459528093a790f38e5cc989a8d', 'f9d24e459528093a790f38e5cc989a8e'), ('0123456789abcdef0123456789abcdef', NULL);
             CREATE TABLE product_feed (id serial PRIMARY KEY, access_token varchar NOT NULL);
             INSERT INTO product_feed (access_token) VALUES ('Qm9_yX-3kLw7RtZp0AaBbC'), ('');
             CREATE TABLE depot_gate (id serial PRIMARY KEY, gate_token varchar NOT NULL, door_key varchar(8) NOT NULL, kiosk_token varchar,
               invite_token varchar, api_token varchar, label_key varchar NOT NULL, wiki_key varchar);
             INSERT INTO depot_gate (gate_token, door_key, kiosk_token, invite_token, api_token, label_key, wiki_key)
             SELECT 'CANARY-' || i, 'DOOR-' || i, md5(i::text), gen_random_uuid(), md5(i::text), md5(i::text), 'CANARY' || i FROM generate_series(1, 3) i;
             CREATE TABLE depot_lane (lane_token varchar NOT NULL); INSERT INTO depot_lane VALUES ('CANARY');
             CREATE TABLE depot_code (id serial PRIMARY KEY, shop int, code_token varchar NOT NULL, UNIQUE (shop, code_token));
             INSERT INTO depot_code (shop, code_token) SELECT 1, lpad(i::text, 4, '0') FROM generate_series(1, 90) i;",
        )
        .await
        .unwrap();
    let (rules, policy, stack) = (odoo::rules(), odoo::policy(), odoo::stack());
    let report = sanitise(&mut client, &rules, &policy, &stack).await.unwrap();
    assert!(
        report.findings.iter().all(|one| !one.is_left()),
        "{:#?}",
        report.findings
    );
    assert_found(
        &report,
        &[
            "depot_gate.gate_token: 3 rows, by its name: cleared",
            "depot_gate.kiosk_token: 3 rows, by its name: cleared",
            "depot_code.code_token: 90 rows, by its name: cleared",
        ],
    );
    let companies = "SELECT count(*) FILTER (WHERE attendance_kiosk_key ~ '^[0-9a-f]{32}$' AND attendance_kiosk_key NOT LIKE 'f9d24%'
       AND attendance_kiosk_key NOT LIKE '01234567%') || ' ' || count(sms_api_token) FROM res_company";
    assert_eq!(text(&client, companies).await.unwrap(), "2 0");
    // What is empty is not for us to fill.
    let feeds = "SELECT string_agg((access_token ~ '^[0-9A-Za-z_-]{22}$')::text, ' ' ORDER BY id) FROM product_feed WHERE access_token <> 'Qm9_yX-3kLw7RtZp0AaBbC'";
    assert_eq!(text(&client, feeds).await.unwrap(), "true false");
    let gates = "SELECT concat_ws(' ', count(DISTINCT gate_token) FILTER (WHERE gate_token ~ '^[0-9A-Za-z_-]{8}$'), count(DISTINCT door_key) FILTER (WHERE length(door_key) = 6),
       count(DISTINCT kiosk_token) FILTER (WHERE kiosk_token ~ '^[0-9a-f]{32}$'), count(DISTINCT invite_token) FILTER (WHERE length(invite_token) = 36),
       count(api_token), count(DISTINCT label_key) FILTER (WHERE length(label_key) = 32), count(wiki_key)) FROM depot_gate";
    assert_eq!(text(&client, gates).await.unwrap(), "3 3 3 3 0 3 0");
    let left = "SELECT string_agg(t::text, ' ') FROM depot_gate t WHERE t::text ~ 'CANARY|DOOR' OR kiosk_token = md5(id::text) OR label_key = md5(id::text)";
    assert_eq!(text(&client, left).await, None);
    // Rows without a number cannot be told from each other: nothing can be made again for them.
    assert_eq!(text(&client, "SELECT lane_token FROM depot_lane").await.unwrap(), "");
    let codes = "SELECT count(DISTINCT code_token)::text FROM depot_code WHERE length(code_token) = 32";
    assert_eq!(text(&client, codes).await.unwrap(), "90");

    let before = everything(&client).await;
    assert!(verify(&mut client, (), &rules, &policy, &stack).await.is_ok());
    let second = sanitise(&mut client, &rules, &policy, &stack).await.unwrap();
    assert_eq!((second.rows(), second.findings.len()), (0, 0), "{:#?}", second.findings);
    let after: Vec<_> = everything(&client).await;
    let stamp = |row: &&String| !row.contains("opw_task.sanitise");
    assert_eq!(
        after.iter().filter(stamp).collect::<Vec<_>>(),
        before.iter().filter(stamp).collect::<Vec<_>>()
    );
    let verdict = audit(&mut client, &rules, &policy, &stack).await.unwrap().verdict;
    assert_eq!(verdict, Some(Verdict::Sanitised));
}
