//! What a server logs of our statements, and what is told of its complaints: no secret of the policy, no value of a row.

use camino::Utf8Path;
use opw_task::error::Explain;
use opw_task::sanitise::{Facts, Policy, SanitiseError, audit, sanitise};
use opw_task::secret::Secret;

use crate::sanitise::{odoo, server};

#[tokio::test]
async fn a_server_that_logs_statements_logs_no_secret_of_the_policy() {
    drop(odoo::database("logged", 18).await);
    let admin = server::as_admin();
    let client = server::database("logged_by_others").await;
    for database in ["logged", "logged_by_others"] {
        for (name, value) in [
            ("log_statement", "all"),
            ("log_min_duration_statement", "0"),
            ("log_duration", "on"),
        ] {
            let set = format!("ALTER DATABASE sanitise_test_{database} SET {name} = '{value}'");
            client.batch_execute(&set).await.unwrap();
        }
    }
    drop(client);
    let token = "LOGGED-shop-token-7d1f";
    let policy: Policy = toml::from_str("[parameters]\n'shop.token' = 'LOGGED-shop-token-7d1f'\n").unwrap();
    let password = "LOGGED-admin-password-52aa";
    let facts = Facts {
        admin_password: Some(Secret::new(password)),
        ..odoo::stack()
    };
    let mut session = admin.connect("sanitise_test_logged").await.unwrap();
    sanitise(&mut session, &odoo::rules(), &policy, &facts).await.unwrap();
    let row = "SELECT value FROM ir_config_parameter WHERE key = 'shop.token'";
    assert_eq!(crate::sanitise::promises::text(&session, row).await.unwrap(), token);
    // One that fails is not logged either.
    let failed = session.execute("SELECT $1::text::int", &[&token]).await;
    assert!(failed.is_err());
    let messages = crate::sanitise::promises::text(&session, "SHOW lc_messages").await;
    assert_eq!(messages.unwrap(), "C");
    drop(session);
    let other = server::through(server::address().1, "logged_by_others").await;
    other.batch_execute("SELECT 'LOGGED-by-others'").await.unwrap();

    let Some(log) = server::log() else { return };
    assert!(log.contains("LOGGED-by-others"), "the server logs nothing");
    let hash = "$pbkdf2-sha512$";
    let found: Vec<_> = log
        .lines()
        .filter(|line| [token, password, hash].iter().any(|secret| line.contains(secret)))
        .collect();
    assert_eq!(found, Vec::<&str>::new());
}

#[tokio::test]
async fn what_a_server_says_is_told_without_the_values_of_rows() {
    let mut client = odoo::database("values", 18).await;
    client
        .batch_execute(
            "CREATE TABLE dock (id int, code varchar);
             INSERT INTO dock VALUES (1, 'CANARY-value');
             CREATE FUNCTION dock_refuses(text) RETURNS int LANGUAGE plpgsql AS $$
             BEGIN RAISE EXCEPTION 'no % here', $1 USING HINT = 'not ' || $1, ERRCODE = '42501'; END $$;",
        )
        .await
        .unwrap();
    let mut refused = 0;
    for test in [
        "code::int > 100",
        "code::regclass IS NULL",
        "code::regrole IS NULL",
        "code::date IS NULL",
        "code::jsonb IS NULL",
        "dock_refuses(code) = 1",
        "to_number(code, code) = 1",
        "('{' || code)::text[] IS NULL",
        "code ~ ('(' || code)",
    ] {
        let mut rules = odoo::rules();
        let rule = format!(
            "[[rule]]\nname = 'dock'\nwhy = 'a test'\nmodule = 'base'\ntable = 'dock'\nset = {{ id = 2 }}\nwhere-sql = \"{test}\"\n"
        );
        rules.extend_from(Utf8Path::new("own.toml"), &rule).unwrap();
        let error = match sanitise(&mut client, &rules, &odoo::policy(), &odoo::stack()).await {
            Ok(_) => continue,
            Err(error) => error,
        };
        refused += 1;
        let told = error.explain();
        assert!(matches!(error, SanitiseError::Rule { .. }), "{test}: {told:?}");
        assert!(!format!("{told:?} {error}").contains("CANARY"), "{test}: {told:?}");
        let audited = audit(&mut client, &rules, &odoo::policy(), &odoo::stack()).await;
        let told = audited.map(|_| ()).map_err(|error| error.explain());
        assert!(!format!("{told:?}").contains("CANARY"), "{test}: {told:?}");
    }
    assert!(refused >= 7, "the server refused {refused} only");
}

#[tokio::test]
async fn a_finding_that_cannot_be_cleared_tells_why_without_the_row() {
    let mut client = odoo::database("values_found", 18).await;
    client
        .batch_execute(
            "CREATE FUNCTION pier_refuses(text, text) RETURNS boolean LANGUAGE plpgsql AS $$
             BEGIN IF $1 IS NULL THEN RAISE EXCEPTION 'no % here', $2; END IF; RETURN true; END $$;
             CREATE TABLE pier (id int, name text, api_token varchar CHECK (pier_refuses(api_token, name)));
             INSERT INTO pier VALUES (1, 'CANARY-name', 'CANARY-token');",
        )
        .await
        .unwrap();
    let report = sanitise(&mut client, &odoo::rules(), &odoo::policy(), &odoo::stack())
        .await
        .unwrap();
    let told = format!("{}{}", report.to_markdown(), serde_json::to_string(&report).unwrap());
    assert!(told.contains("pier") && told.contains("pier_refuses"), "{told}");
    assert!(!told.contains("CANARY"), "{told}");
}
