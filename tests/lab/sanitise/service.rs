//! Service users: programs of the project's own that work on the copy, in the tables of Odoo 16 to 19.

use opw_task::sanitise::{Passwords, Policy, SanitiseError, ServiceUser, Verdict, audit, preview, sanitise, verify};
use opw_task::secret::Secret;
use pbkdf2::Pbkdf2;
use pbkdf2::mcf::PasswordHash;
use pbkdf2::password_hash::PasswordVerifier as _;

use crate::sanitise::odoo;
use crate::sanitise::promises::{everything, text};

const KEY: &str = "6f70772d7461736b2d6170692d6b65792d313233";

/// What Odoo's own tables have beside the frame, and a column of some module that must not be NULL.
const TABLES: &str = "
ALTER TABLE res_partner ADD COLUMN name varchar, ADD COLUMN active boolean, ADD COLUMN commercial_partner_id int,
  ADD COLUMN autopost_bills varchar NOT NULL DEFAULT 'ask';
ALTER TABLE res_partner ALTER COLUMN autopost_bills DROP DEFAULT;
ALTER TABLE res_users ADD COLUMN company_id int NOT NULL DEFAULT 1, ADD COLUMN notification_type varchar NOT NULL DEFAULT 'email';
ALTER TABLE res_users ALTER COLUMN company_id DROP DEFAULT, ALTER COLUMN notification_type DROP DEFAULT;
ALTER TABLE res_users ADD UNIQUE (login);
CREATE TABLE res_company_users_rel (cid int, user_id int, PRIMARY KEY (cid, user_id));
CREATE TABLE res_groups_users_rel (gid int, uid int, PRIMARY KEY (gid, uid));
CREATE TABLE res_groups_implied_rel (gid int, hid int);
INSERT INTO ir_model_data (module, name, model, res_id) VALUES
  ('base', 'group_user', 'res.groups', 11), ('base', 'group_system', 'res.groups', 12), ('base', 'group_erp', 'res.groups', 13);
INSERT INTO res_groups_implied_rel VALUES (12, 13), (13, 11), (11, 12);
CREATE TABLE res_users_apikeys (id serial PRIMARY KEY, name varchar NOT NULL, user_id int NOT NULL, scope varchar,
  index varchar(8) CHECK (char_length(index) = 8), key varchar, create_date timestamp DEFAULT (now() AT TIME ZONE 'utc'));
INSERT INTO res_users_apikeys (name, user_id, index, key) VALUES ('production', 1, '12345678', 'CANARY');";

fn policy(passwords: Passwords) -> Policy {
    let user = |login: &str, group: &str, key: &str| ServiceUser {
        login: login.into(),
        name: format!("The program {login}"),
        groups: vec![group.into()],
        api_key: Secret::new(key),
    };
    Policy {
        passwords,
        service_users: vec![
            user("gpt", "base.group_user", KEY),
            user("gpt-admin", "base.group_system", &format!("{KEY}-of-the-admin")),
            user("nobody", "base.group_user", ""),
        ],
        ..odoo::policy()
    }
}

#[tokio::test]
async fn service_users_work_in_every_version() {
    for version in 16..=19 {
        let mut client = odoo::database(&format!("service_{version}"), version).await;
        client.batch_execute(TABLES).await.unwrap();
        if version >= 18 {
            client
                .batch_execute("ALTER TABLE res_users_apikeys ADD COLUMN expiration_date timestamp")
                .await
                .unwrap();
        }
        // One of them is known to production, and switched off there.
        client
            .batch_execute("INSERT INTO res_users (partner_id, login, active, share, company_id, notification_type) VALUES (2, 'gpt', false, true, 1, 'email')")
            .await
            .unwrap();
        let (rules, stack) = (odoo::rules(), odoo::stack());
        // Hashing passwords takes its time; one version shows that the rules of passwords see the new users.
        let policy = policy(if version == 19 {
            Passwords::Reset
        } else {
            Passwords::Keep
        });
        if policy.passwords == Passwords::Keep {
            client.batch_execute("DELETE FROM res_users_apikeys").await.unwrap();
        }
        sanitise(&mut client, &rules, &policy, &stack).await.unwrap();
        let before = everything(&client).await;
        assert_eq!(sanitise(&mut client, &rules, &policy, &stack).await.unwrap().rows(), 0);
        assert_eq!(everything(&client).await, before);

        let seen = "SELECT string_agg(concat_ws(' ', u.login, p.name, u.active, u.share, u.company_id, p.autopost_bills,
              p.commercial_partner_id = p.id OR u.login = 'gpt',
              (SELECT string_agg(gid::text, ',' ORDER BY gid) FROM res_groups_users_rel WHERE uid = u.id),
              (SELECT string_agg(cid::text, ',') FROM res_company_users_rel WHERE user_id = u.id),
              (SELECT string_agg(concat_ws('/', index, scope), ',') FROM res_users_apikeys WHERE user_id = u.id)), E'\\n' ORDER BY u.login)
            FROM res_users u JOIN res_partner p ON p.id = u.partner_id WHERE u.login IN ('gpt', 'gpt-admin', 'nobody')";
        assert_eq!(
            text(&client, seen).await.unwrap(),
            "gpt t f 1 ask t 11,12,13 1 6f70772d\ngpt-admin The program gpt-admin t f 1 ask t 11,12,13 1 6f70772d"
        );
        for (login, key) in [("gpt", KEY.to_owned()), ("gpt-admin", format!("{KEY}-of-the-admin"))] {
            let select = format!(
                "SELECT k.key FROM res_users_apikeys k JOIN res_users u ON u.id = user_id WHERE login = '{login}'"
            );
            assert_opens(&text(&client, &select).await.unwrap(), &key);
        }
        assert!(verify(&mut client, (), &rules, &policy, &stack).await.is_ok());
        assert_eq!(
            audit(&mut client, &rules, &policy, &stack).await.unwrap().verdict,
            Some(Verdict::Sanitised)
        );
        let script: String = preview(&mut client, &rules, &policy, &stack)
            .await
            .unwrap()
            .iter()
            .map(|one| one.to_script())
            .collect();
        assert!(script.contains("service user gpt") && !script.contains(&KEY[..8]));
    }
}

/// The key opens this hash. That Odoo's passlib makes the same hash of the same key stands in `sanitise::password`.
fn assert_opens(hash: &str, key: &str) {
    assert!(hash.starts_with("$pbkdf2-sha512$6000$"), "{hash}");
    assert!(
        Pbkdf2::SHA512
            .verify_password(key.as_bytes(), &PasswordHash::new(hash).unwrap())
            .is_ok()
    );
}

#[tokio::test]
async fn keys_that_could_be_guessed_or_open_for_two_are_refused() {
    let mut client = odoo::database("service_short", 18).await;
    client.batch_execute(TABLES).await.unwrap();
    let mut policy = policy(Passwords::Keep);
    policy.service_users[0].api_key = Secret::new("secret");
    let error = sanitise(&mut client, &odoo::rules(), &policy, &odoo::stack())
        .await
        .unwrap_err();
    assert!(
        matches!(&error, SanitiseError::ShortKey { login, .. } if login == "gpt"),
        "{error:?}"
    );
    policy.service_users[0].api_key = policy.service_users[1].api_key.clone();
    let before = everything(&client).await;
    let error = sanitise(&mut client, &odoo::rules(), &policy, &odoo::stack())
        .await
        .unwrap_err();
    assert!(matches!(&error, SanitiseError::SharedKey { .. }), "{error:?}");
    assert_eq!(everything(&client).await, before);
}

#[tokio::test]
async fn variables_of_the_stack_are_bound_and_never_pasted() {
    let mut client = odoo::database("variables", 18).await;
    client
        .batch_execute(
            "CREATE TABLE dock_gate (id serial PRIMARY KEY, code varchar, address varchar, port int);
                        INSERT INTO dock_gate (code) VALUES ('north'), ('it''s'), ('south')",
        )
        .await
        .unwrap();
    let mut rules = odoo::rules();
    let own = "[[rule]]\nname = 'gates'\nwhy = 'A test'\nmodule = 'dock'\ntable = 'dock_gate'\n\
        set = { port = { env = 'DOCK_PORT' }, address = { sql = \"code || {env.DOCK_SUFFIX}\" } }\nwhere-sql = \"code <> {env.DOCK_KEPT}\"\n";
    rules.extend_from("own.toml".into(), own).unwrap();
    let mut facts = odoo::stack();
    let missing = sanitise(&mut client, &rules, &odoo::policy(), &facts)
        .await
        .unwrap_err();
    assert!(
        matches!(&missing, SanitiseError::NoVariable { name } if name == "DOCK_SUFFIX"),
        "{missing:?}"
    );
    for (name, value) in [
        ("DOCK_PORT", "58100"),
        ("DOCK_SUFFIX", "'; DROP TABLE dock_gate; --"),
        ("DOCK_KEPT", "it's"),
    ] {
        facts.variables.insert(name.into(), Secret::new(value));
    }
    sanitise(&mut client, &rules, &odoo::policy(), &facts).await.unwrap();
    let seen = "SELECT string_agg(concat_ws(' ', code, port, address), ', ' ORDER BY id) FROM dock_gate";
    assert_eq!(
        text(&client, seen).await.unwrap(),
        "north 58100 north'; DROP TABLE dock_gate; --, it's, south 58100 south'; DROP TABLE dock_gate; --"
    );
    let script: String = preview(&mut client, &rules, &odoo::policy(), &facts)
        .await
        .unwrap()
        .iter()
        .map(|one| one.to_script())
        .collect();
    assert!(script.contains("code <> '***'") && !script.contains("58100"));
}
