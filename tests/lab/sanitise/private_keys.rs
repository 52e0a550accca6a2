//! Private keys go whole, whatever they are wrapped in, and what is around them stays what it was.

use opw_task::sanitise::{Verdict, audit, sanitise, verify};

use crate::sanitise::look::{dump, no_canary};
use crate::sanitise::odoo;
use crate::sanitise::promises::text;

/// What stands before, the key, what stands behind.
const KEYS: [(&str, &str, &str); 17] = [
    (
        "",
        "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,0011\n\nCANARY+/0=\nCANARY\n-----END RSA PRIVATE KEY-----",
        "\nregards",
    ),
    (
        "",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nCANARY\n-----END ENCRYPTED PRIVATE KEY-----",
        "",
    ),
    (
        "<p>Hello</p><p>",
        "-----BEGIN PRIVATE KEY-----<br>CANARY<br/>CANARY<br>-----END PRIVATE KEY-----",
        "</p><p>regards</p>",
    ),
    (
        "<p>",
        "-----BEGIN&nbsp;EC&nbsp;PRIVATE&nbsp;KEY-----</p><p class=\"x\">CANARY</p><p>-----END&nbsp;EC&nbsp;PRIVATE&nbsp;KEY-----",
        "</p>",
    ),
    (
        "the key: ",
        "&#45;&#45;&#45;&#45;&#45;BEGIN RSA PRIVATE KEY&#45;&#45;&#45;&#45;&#45;&#10;CANARY&#10;&#x2d;&#x2d;&#x2d;&#x2d;&#x2d;END RSA PRIVATE KEY&#45;&#45;&#45;&#45;&#45;",
        " regards",
    ),
    (
        "key=\"",
        "-----BEGIN DSA PRIVATE KEY-----\\nCANARY\\n-----END DSA PRIVATE KEY-----",
        "\\n\" # from the vault",
    ),
    (
        "",
        "-----BEGIN OPENSSH PRIVATE KEY----- CANARY CANARY -----END OPENSSH PRIVATE KEY-----",
        " on one line",
    ),
    (
        "?key=",
        "-----BEGIN+RSA+PRIVATE+KEY-----%0ACANARY%0A-----END+RSA+PRIVATE+KEY-----",
        "&page=2",
    ),
    (
        "",
        "-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: GnuPG v2\nComment: a-b\n\nCANARY\n=aB1c\n-----END PGP PRIVATE KEY BLOCK-----",
        "\nregards",
    ),
    (
        "",
        "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nComment: \"rsa-key\"\nCANARY\n---- END SSH2 ENCRYPTED PRIVATE KEY ----",
        "\nregards",
    ),
    (
        "",
        "PuTTY-User-Key-File-2: ssh-rsa\nEncryption: aes256-cbc\nPublic-Lines: 1\nAAAA\nPrivate-Lines: 1\nCANARY\nPrivate-MAC: 00ffee",
        "\nregards",
    ),
    (
        "",
        "-----BEGIN OpenVPN Static key V1-----\nCANARY\n-----END OpenVPN Static key V1-----",
        "\n",
    ),
    (
        "data:text/plain;base64,",
        "LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQpDQU5BUlkCANARY==",
        "\">",
    ),
    ("cut off: ", "-----BEGIN RSA PRIVATE KEY-----\nCANARY\nCANARY", ""),
    (
        "cut off: <p>",
        "-----BEGIN RSA <b>PRIVATE</b> KEY-----<br class=\"x\">CANARY",
        "",
    ),
    (
        "one ",
        "-----BEGIN PRIVATE KEY-----\nCANARY\n-----END PRIVATE KEY-----",
        " -----BEGIN CERTIFICATE-----\nPUBLIC\n-----END CERTIFICATE----- two",
    ),
    (
        "-----BEGIN PUBLIC KEY-----\nPUBLIC\n-----END PUBLIC KEY----- three ",
        "-----BEGIN PRIVATE KEY-----",
        "",
    ),
];

#[tokio::test]
async fn private_keys_go_whole_and_nothing_around_them() {
    let mut client = odoo::database("private_keys", 18).await;
    client
        .batch_execute("CREATE TABLE note (id serial PRIMARY KEY, body text, data jsonb, raw json, box varchar)")
        .await
        .unwrap();
    for (before, key, behind) in KEYS {
        let body = format!("{before}{key}{behind}");
        let data = serde_json::json!({"n": [1, {"s": body}], "z": "stays"}).to_string();
        let insert = "INSERT INTO note (body, data, raw, box) VALUES ($1, $2::text::jsonb, $2::text::json, $2::text)";
        client.execute(insert, &[&body, &data]).await.unwrap();
    }
    let (rules, policy, stack) = (odoo::rules(), odoo::policy(), odoo::stack());
    sanitise(&mut client, &rules, &policy, &stack).await.unwrap();
    no_canary(
        &dump(&client)
            .await
            .lines()
            .filter(|line| line.contains("note"))
            .collect::<Vec<_>>()
            .join("\n"),
    );
    let removed = "[removed: private key]";
    for (row, (before, _, behind)) in client
        .query("SELECT body, data::text, raw::text, box FROM note ORDER BY id", &[])
        .await
        .unwrap()
        .iter()
        .zip(KEYS)
    {
        let expected = format!("{before}{removed}{behind}");
        assert_eq!(row.get::<_, String>(0), expected);
        for at in 1..4 {
            let json: serde_json::Value = serde_json::from_str(row.get(at)).unwrap();
            assert_eq!(json, serde_json::json!({"n": [1, {"s": expected}], "z": "stays"}));
        }
    }
    assert!(verify(&mut client, (), &rules, &policy, &stack).await.is_ok());
}

#[tokio::test]
async fn what_is_taken_out_leaves_json_whole_and_fits_its_column() {
    let mut client = odoo::database("edges", 18).await;
    client
        .batch_execute(
            r#"CREATE TABLE edge (id serial PRIMARY KEY, data jsonb, raw json, kwargs text, short varchar(20), once varchar UNIQUE,
                 once_short varchar(26) UNIQUE, tag varchar, tagged varchar, UNIQUE (tag, tagged));
               INSERT INTO edge (data, raw, kwargs, short, once, once_short, tag, tagged) VALUES
               ('{"headers": {"Authorization": "Bearer CANARYghijklmnop123456", "X": 1}}',
                '{"uri": "https://a:CANARYa@host.example/p"}',
                '{"headers": {"Authorization": "Bearer CANARYghijklmnop123456", "X": 1}, "dsn": "host=a b", "z": "c password=CANARYabc host=d"}',
                'AKIAQWERTYUIOPASDFGH', 'glpat-CANARY6789abcdefghij', 'glpat-CANARY6789abcdefghij', 'a', 'glpat-CANARY6789abcdefghij'),
               ('{"a": "user=x", "b": "y password=CANARYword"}', NULL, NULL, NULL, 'glpat-CANARY6789abcdefghik', 'glpat-CANARY6789abcdefghik',
                'a', 'glpat-CANARY6789abcdefghik')"#,
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
    let one = "SELECT concat_ws('|', data -> 'headers' ->> 'X', raw ->> 'uri', kwargs::json -> 'headers' ->> 'X', short) FROM edge WHERE id = 1";
    let seen = text(&client, one).await.unwrap();
    assert!(
        seen.starts_with("1|[removed: password in a URL]host.example/p|1|[removed: AWS"),
        "{seen}"
    );
    let twice = "SELECT (count(DISTINCT once) + count(DISTINCT once_short) + count(DISTINCT tagged))::text FROM edge WHERE once <> '' AND once_short <> ''";
    assert_eq!(text(&client, twice).await.unwrap(), "6");
    let left = "SELECT string_agg(t::text, ' ') FROM edge t WHERE t::text ~ 'glpat|AKIA|Bearer CANARY|CANARYa'";
    assert_eq!(text(&client, left).await, None);
    assert!(verify(&mut client, (), &rules, &policy, &stack).await.is_ok());
    let verdict = audit(&mut client, &rules, &policy, &stack).await.unwrap().verdict;
    assert_eq!(verdict, Some(Verdict::Sanitised));
}
