//! The worked example of docs/guides/sanitise.md, carried out.

use camino::Utf8Path;
use opw_task::sanitise::{Policy, sanitise, verify};
use serde::Deserialize;

use crate::sanitise::odoo;

const GUIDE: &str = include_str!("../../../docs/guides/sanitise.md");

#[derive(Deserialize)]
struct Manifest {
    sanitise: Policy,
}

#[tokio::test]
async fn the_example_of_the_guide_works() {
    let mut blocks = GUIDE
        .split("```toml\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap());
    let manifest: Manifest = toml::from_str(blocks.next().unwrap()).unwrap();
    let policy = Policy {
        passwords: odoo::policy().passwords,
        ..manifest.sanitise
    };
    let mut rules = odoo::rules();
    for file in ["docker/sanitise/club.toml", "docker/sanitise/dock.toml"] {
        rules.extend_from(Utf8Path::new(file), blocks.next().unwrap()).unwrap();
    }

    let mut client = odoo::database("guide", 18).await;
    client
        .batch_execute(
            "INSERT INTO ir_module_module (name, state) VALUES ('dock', 'installed');
             CREATE TABLE dock_gateway (id serial PRIMARY KEY, kind varchar, active boolean, address varchar, api_key varchar,
               public_key_token varchar);
             INSERT INTO dock_gateway (kind, active, address, api_key, public_key_token) VALUES
               ('real', true, 'gate.yard.example', 'CANARY', 'printed'), ('mock', true, 'localhost', NULL, NULL);
             CREATE TABLE dock_slot (id serial PRIMARY KEY, access_token varchar);
             INSERT INTO dock_slot (access_token) VALUES ('CANARY'), (NULL);
             CREATE TABLE dock_call (id serial PRIMARY KEY, state varchar);
             INSERT INTO dock_call (state) VALUES ('waiting'), ('done');
             INSERT INTO ir_config_parameter (key, value) VALUES ('dock.production_gateway', 'CANARY');
             CREATE TABLE club_member (id serial PRIMARY KEY, nick varchar, email varchar, story text, partner_id int);
             INSERT INTO club_member (nick, email, story) VALUES ('Zaphod', 'zaphod@home.example', 'Two heads'), (NULL, NULL, NULL);",
        )
        .await
        .unwrap();
    sanitise(&mut client, &rules, &policy, &odoo::stack()).await.unwrap();
    assert!(verify(&mut client, (), &rules, &policy, &odoo::stack()).await.is_ok());

    let seen = "SELECT (SELECT string_agg(concat_ws(',', kind, active, address, api_key, public_key_token), ' ' ORDER BY id) FROM dock_gateway)
        || ' | ' || (SELECT string_agg(coalesce(length(access_token)::text, '-'), ' ' ORDER BY id) FROM dock_slot)
        || ' | ' || (SELECT string_agg(state, ' ') FROM dock_call)
        || ' | ' || (SELECT string_agg(key || '=' || value, ' ' ORDER BY key) FROM ir_config_parameter WHERE key LIKE 'dock.%')";
    let seen: String = client.query_one(seen, &[]).await.unwrap().get(0);
    let expected = "real,f,gate.invalid,printed mock,t,localhost | 6 - | done | dock.mode=simulator dock.token=token-of-the-test-gateway";
    assert_eq!(seen, expected);
    let seen = "SELECT string_agg((nick <> 'Zaphod')::text || split_part(email, '@', 2) || coalesce(story, ''), ' ')
        || ' ' || count(*) FROM club_member";
    let seen: String = client.query_one(seen, &[]).await.unwrap().get(0);
    assert_eq!(seen, "trueclub-member.invalid 2");
}
