//! Personal data and their stand-ins.

use std::collections::BTreeSet;

use camino::Utf8Path;
use opw_task::sanitise::{Anonymise, FreeText, Policy, Verdict, audit, sanitise, verify};
use tokio_postgres::Client;

use crate::sanitise::odoo;
use crate::sanitise::promises::{everything, text};

/// Everybody's words: none may be found anywhere afterwards.
const PEOPLE: [&str; 24] = [
    "Quentin",
    "Zaphod",
    "Müßigmann",
    "Иннокентий",
    "Άνθιμος",
    "张三丰",
    "キヨシ",
    "김철수",
    "Knopfloch",
    "quentin@",
    "zaphod@",
    "innokenti@",
    "stranger@",
    "0171 555",
    "Kirchgasse",
    "Hinterwald",
    "DE123456789",
    "DE89370400440532013000",
    "GB29",
    "123-456-789",
    "1985-07-13",
    "X12345",
    "whispered",
    "Rumpel",
];

const ESTATE: &str = "
ALTER TABLE res_partner ADD name varchar, ADD complete_name varchar, ADD commercial_company_name varchar,
  ADD company_name varchar, ADD is_company boolean, ADD parent_id int, ADD commercial_partner_id int, ADD email_normalized varchar,
  ADD phone varchar, ADD mobile varchar, ADD street varchar, ADD city varchar, ADD zip varchar, ADD vat varchar, ADD comment text,
  ADD active boolean, ADD type varchar, ADD employee boolean, ADD lang varchar, ADD write_date timestamp;
ALTER TABLE res_users ADD signature text, ADD company_id int, ADD write_date timestamp;
CREATE TABLE IF NOT EXISTS res_company (id serial PRIMARY KEY);
ALTER TABLE res_company ADD partner_id int, ADD name varchar;
INSERT INTO res_partner (id, name, complete_name, commercial_company_name, is_company, parent_id, commercial_partner_id, email,
  email_normalized, phone, street, city, zip, vat, comment) VALUES
  (10, 'Own Company', 'Own Company', 'Own Company', true, NULL, 10, 'info@shop.example', 'info@shop.example', '030 1', 'Main Road 1', 'Berlin', '10115', 'DE999999999', NULL),
  (11, 'Knopfloch GmbH', 'Knopfloch GmbH', 'Knopfloch GmbH', true, NULL, 11, 'quentin@knopfloch.example', 'quentin@knopfloch.example', '0171 555', 'Kirchgasse 3', 'Hinterwald', '80331', 'DE123456789', 'he whispered'),
  (12, 'Quentin Müßigmann', 'Knopfloch GmbH, Quentin Müßigmann', 'Knopfloch GmbH', false, 11, 11, 'Quentin@Knopfloch.example', 'quentin@knopfloch.example', '0171 555', 'Kirchgasse 3', 'Hinterwald', '80331', 'DE123456789', NULL),
  (13, 'Zaphod Quentin', 'Zaphod Quentin', NULL, false, NULL, 13, 'zaphod@home.example', 'zaphod@home.example', NULL, NULL, NULL, 'SW1A 1AA', NULL, NULL),
  (14, 'Иннокентий Quentin', 'Иннокентий Quentin', NULL, false, NULL, 14, 'innokenti@home.example', 'innokenti@home.example', NULL, 'Иннокентий 5', 'Иннокентий', NULL, NULL, NULL),
  (15, 'Άνθιμος', 'Άνθιμος', NULL, false, NULL, 15, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (16, '张三丰', '张三丰', NULL, false, NULL, 16, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (17, 'キヨシ', 'キヨシ', NULL, false, NULL, 17, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (18, '김철수', '김철수', NULL, false, NULL, 18, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (19, 'Rumpel', 'Own Company, Rumpel', 'Own Company', false, 10, 10, 'rumpel@shop.example', 'rumpel@shop.example', NULL, NULL, NULL, NULL, NULL, NULL);
UPDATE res_partner SET name = 'Rumpel ' || id, complete_name = 'Rumpel ' || id WHERE id < 3;
UPDATE res_partner SET name = 'Public user' WHERE id = 3;
INSERT INTO res_company (partner_id, name) VALUES (10, 'Own Company');
INSERT INTO res_users (id, partner_id, login, active, share, signature) VALUES (19, 19, 'rumpel@shop.example', true, false, 'Rumpel 0171 555');
CREATE TABLE hr_employee (id serial PRIMARY KEY, name varchar, user_id int, work_contact_id int, work_email varchar, birthday date,
  passport_id varchar, children int, resource_id int);
INSERT INTO hr_employee (name, user_id, work_email, birthday, passport_id, children, resource_id)
  VALUES ('Rumpel', 19, 'rumpel@shop.example', '1985-07-13', 'X12345', 3, 1);
CREATE TABLE resource_resource (id serial PRIMARY KEY, name varchar);
INSERT INTO resource_resource (name) VALUES ('Rumpel'), ('Oven');
CREATE TABLE crm_lead (id serial PRIMARY KEY, name varchar NOT NULL, partner_id int, contact_name varchar, email_from varchar, description text);
INSERT INTO crm_lead (name, partner_id, contact_name, email_from, description) VALUES
  ('Zaphod wants a shirt', 13, 'Zaphod Quentin', 'other-zaphod@home.example', 'he whispered'),
  ('From Zaphod', NULL, 'Zaphod Quentin', 'Zaphod <ZAPHOD@home.example>', NULL),
  ('Quentin?', NULL, 'Quentin', 'stranger@far.example', NULL);
CREATE TABLE mail_message (id serial PRIMARY KEY, author_id int, email_from varchar, subject varchar, body text, record_name varchar,
  message_type varchar NOT NULL, write_date timestamp);
INSERT INTO mail_message (author_id, email_from, subject, body, record_name, message_type) VALUES
  (13, '\"Zaphod Quentin\" <zaphod@home.example>', 'Quentin?', '<p>Quentin whispered</p>', 'Zaphod', 'comment'),
  (NULL, 'stranger@far.example', NULL, '<p>Quentin</p>', NULL, 'email'), (13, NULL, NULL, '<p>Stage changed</p>', NULL, 'notification');
CREATE TABLE mail_blacklist (id serial PRIMARY KEY, email varchar NOT NULL UNIQUE);
INSERT INTO mail_blacklist (email) VALUES ('zaphod@home.example'), ('stranger@far.example');
CREATE TABLE res_partner_bank (id serial PRIMARY KEY, partner_id int, acc_number varchar NOT NULL, sanitized_acc_number varchar, acc_holder_name varchar);
INSERT INTO res_partner_bank (partner_id, acc_number, sanitized_acc_number, acc_holder_name) VALUES
  (13, 'DE89 3704 0044 0532 0130 00', 'DE89370400440532013000', 'Zaphod Quentin'),
  (14, 'GB29NWBK60161331926819', 'GB29NWBK60161331926819', NULL), (15, '123-456-789', '123456789', NULL);
CREATE TABLE ir_attachment (id serial PRIMARY KEY, name varchar, res_model varchar, res_field varchar, res_id int, mimetype varchar,
  store_fname varchar, db_datas bytea, checksum varchar, index_content text, description text, file_size int);
INSERT INTO ir_attachment (name, res_model, res_field, res_id, mimetype, store_fname, index_content) VALUES
  ('Quentin.pdf', 'sale.order', NULL, 1, 'application/pdf', 'aa/1', 'Quentin whispered'),
  ('image_1920', 'res.partner', 'image_1920', 13, 'image/png', 'aa/2', NULL),
  ('image_1920', 'res.partner', 'image_1920', 10, 'image/png', 'aa/3', NULL),
  ('logo.png', 'ir.ui.view', NULL, 7, 'image/png', 'aa/4', NULL), ('app.js', NULL, NULL, NULL, 'text/javascript', 'aa/5', NULL);
";

pub(crate) fn everybody(choice: Anonymise) -> Policy {
    Policy {
        anonymise: choice,
        ..odoo::policy()
    }
}

pub(crate) async fn estate(name: &str) -> Client {
    let client = odoo::database(name, 18).await;
    client.batch_execute(ESTATE).await.unwrap();
    client
}

pub(crate) async fn one(client: &Client, select: &str) -> String {
    text(client, select).await.unwrap()
}

pub(crate) async fn sanitised(client: &mut Client, policy: &Policy) {
    let (rules, stack) = (odoo::rules(), odoo::stack());
    sanitise(client, &rules, policy, &stack).await.unwrap();
    let before = everything(client).await;
    let again = sanitise(client, &rules, policy, &stack).await.unwrap();
    assert_eq!(again.rows(), 0, "{:#?}", again.changed_lines());
    assert_eq!(everything(client).await, before);
    verify(client, (), &rules, policy, &stack).await.unwrap();
}

#[tokio::test]
async fn nobody_is_left_and_everybody_is_somebody() {
    let mut client = estate("people").await;
    sanitised(&mut client, &everybody(Anonymise::everything())).await;
    let all = everything(&client).await;
    for word in PEOPLE {
        let left: Vec<_> = all.iter().filter(|row| row.contains(word)).collect();
        assert!(left.is_empty(), "{word} in {left:#?}");
    }

    // One person is one person everywhere.
    let zaphod = one(&client, "SELECT email FROM res_partner WHERE id = 13").await;
    for same in [
        "SELECT email_normalized FROM res_partner WHERE id = 13",
        "SELECT email_from FROM crm_lead WHERE id = 1",
        "SELECT email_from FROM crm_lead WHERE id = 2",
        "SELECT email_from FROM mail_message WHERE id = 1",
        "SELECT email FROM mail_blacklist WHERE id = 1",
    ] {
        assert_eq!(one(&client, same).await, zaphod, "{same}");
    }
    let rumpel = one(&client, "SELECT name FROM res_partner WHERE id = 19").await;
    for same in ["hr_employee", "resource_resource"] {
        assert_eq!(
            one(&client, &format!("SELECT name FROM {same} WHERE id = 1")).await,
            rumpel
        );
    }
    assert_eq!(
        one(&client, "SELECT login FROM res_users WHERE id = 19").await,
        one(&client, "SELECT work_email FROM hr_employee").await
    );
    let (company, contact) = (
        one(&client, "SELECT name FROM res_partner WHERE id = 11").await,
        one(&client, "SELECT complete_name FROM res_partner WHERE id = 12").await,
    );
    let name = one(&client, "SELECT name FROM res_partner WHERE id = 12").await;
    assert_eq!(contact, format!("{company}, {name}"));
    let vat = "SELECT (count(DISTINCT vat) || max(vat)) FROM res_partner WHERE id IN (11, 12)";
    assert_eq!(one(&client, vat).await, "1DE000000022");

    // A stranger is nobody's double, and reaches nobody.
    let stranger = one(&client, "SELECT email_from FROM crm_lead WHERE id = 3").await;
    assert!(stranger.ends_with(".3@crm-lead.invalid"), "{stranger}");
    assert!(zaphod.ends_with(".13@people.invalid"), "{zaphod}");
    assert_eq!(one(&client, "SELECT name FROM crm_lead WHERE id = 3").await, "Lead 3");

    // What is no person's stays.
    let own = "SELECT concat_ws('|', name, street, city, vat) FROM res_partner WHERE id = 10";
    assert_eq!(one(&client, own).await, "Own Company|Main Road 1|Berlin|DE999999999");
    assert_eq!(
        one(&client, "SELECT complete_name FROM res_partner WHERE id = 19").await,
        format!("Own Company, {rumpel}")
    );
    assert_eq!(
        one(
            &client,
            "SELECT string_agg(login, ' ' ORDER BY id) FROM res_users WHERE id IN (1, 3)"
        )
        .await,
        "admin public"
    );
    assert_eq!(
        one(&client, "SELECT name FROM res_partner WHERE id = 3").await,
        "Public user"
    );
    assert_eq!(
        one(&client, "SELECT name FROM resource_resource WHERE id = 2").await,
        "Oven"
    );
    let files = "SELECT string_agg(coalesce(store_fname, '-'), ' ' ORDER BY id) FROM ir_attachment";
    assert_eq!(one(&client, files).await, "- - aa/3 aa/4 aa/5");
    let zips = "SELECT string_agg(zip, '|' ORDER BY id) FROM res_partner WHERE id > 10";
    assert_eq!(one(&client, zips).await, "80000|80000|SW0A 0AA");
    assert_eq!(
        one(&client, "SELECT extract(year FROM birthday)::text FROM hr_employee").await,
        "1985"
    );
}

#[tokio::test]
async fn letters_stay_what_they_were() {
    let mut client = estate("letters").await;
    sanitised(&mut client, &everybody(Anonymise::everything())).await;
    for (id, letters) in [
        (12, "[à-ÿĀ-ſÀ-ß]"),
        (13, "^[A-Za-z. ]+$"),
        (14, "^[Ѐ-ӿ. ]+$"),
        (15, "^[Ͱ-Ͽἀ-῿. ]+$"),
        (16, "^[一-鿿]+$"),
        (17, "^[ァ-ヿ ]+$"),
        (18, "^[가-힣]+$"),
    ] {
        let name = one(&client, &format!("SELECT name FROM res_partner WHERE id = {id}")).await;
        let matches = format!("SELECT (name ~ '{letters}')::text FROM res_partner WHERE id = {id}");
        assert_eq!(one(&client, &matches).await, "true", "{name}");
    }
}

#[tokio::test]
async fn account_numbers_stay_valid() {
    let mut client = estate("accounts").await;
    sanitised(&mut client, &everybody(Anonymise::everything())).await;
    let numbers = client
        .query(
            "SELECT acc_number, sanitized_acc_number FROM res_partner_bank ORDER BY id",
            &[],
        )
        .await
        .unwrap();
    let numbers: Vec<String> = numbers
        .iter()
        .map(|row| {
            assert_eq!(row.get::<_, String>(0), row.get::<_, String>(1));
            row.get(0)
        })
        .collect();
    let [german, british, plain] = &numbers[..] else {
        unreachable!()
    };
    assert!(
        german.starts_with("DE") && &german[4..8] == "3704" && german.len() == 22,
        "{german}"
    );
    assert!(
        british.starts_with("GB") && &british[4..8] == "NWBK" && british.len() == 22,
        "{british}"
    );
    for iban in [german, british] {
        let turned = format!("{}{}", &iban[4..], &iban[..4]);
        let rest = turned.chars().fold(0, |rest, letter| {
            let digit = letter.to_digit(36).unwrap();
            (rest * if digit > 9 { 100 } else { 10 } + digit) % 97
        });
        assert_eq!(rest, 1, "{iban}");
    }
    assert_eq!(plain.len(), 9);
}

#[tokio::test]
async fn many_people_have_names_and_addresses_of_their_own() {
    let mut client = estate("crowd").await;
    client
        .batch_execute(
            "INSERT INTO res_partner (id, name, complete_name, email, email_normalized, phone, is_company)
             SELECT 1000 + i, w || i, w || i, i || '@home.example', i || '@home.example', i::text, i % 10 = 0
             FROM generate_series(1, 40000) i, LATERAL (SELECT CASE i % 3 WHEN 0 THEN 'Ж' WHEN 1 THEN 'ü' ELSE 'X' END) l (w)",
        )
        .await
        .unwrap();
    let (rules, stack, policy) = (odoo::rules(), odoo::stack(), everybody(Anonymise::everything()));
    sanitise(&mut client, &rules, &policy, &stack).await.unwrap();
    for what in ["name", "email", "phone"] {
        let distinct = format!("SELECT count(DISTINCT {what})::text FROM res_partner WHERE id > 1000");
        assert_eq!(one(&client, &distinct).await, "40000", "{what}");
    }
    let reach = "SELECT count(*)::text FROM res_partner WHERE id > 1000 AND (email NOT LIKE '%.invalid' OR phone NOT LIKE '+999 %')";
    assert_eq!(one(&client, reach).await, "0");
}

#[tokio::test]
async fn a_million_people_cost_no_million_calls() {
    let mut client = estate("inlined").await;
    let (rules, stack, policy) = (odoo::rules(), odoo::stack(), everybody(Anonymise::everything()));
    // The functions are there for as long as the session is.
    sanitise(&mut client, &rules, &policy, &stack).await.unwrap();
    for call in [
        "person(id, name)",
        "company(id, name)",
        "given(id, name)",
        "family(id, name)",
        "street(id, street)",
        "city(id, city)",
        "email(id, 'a')",
        "phone(id, '20')",
        "zip(zip)",
        "vat(id, vat)",
    ] {
        let plan = format!("EXPLAIN (VERBOSE, COSTS OFF) SELECT pg_temp.fake_{call} FROM res_partner");
        let lines = client.query(&plan, &[]).await.unwrap();
        let plan: String = lines.iter().map(|line| line.get::<_, String>(0)).collect();
        assert!(!plan.contains("fake_"), "{call} is a call for each row: {plan}");
    }
}

#[tokio::test]
async fn texts_and_documents_go_by_choice() {
    let choices = [
        (
            "free-text = \"keep\"\nattachments = []",
            "3|<p>Quentin whispered</p>|Quentin.pdf aa/1",
        ),
        (
            "free-text = \"blank\"\nattachments = [\"image/*\"]",
            "3||Quentin.pdf aa/1",
        ),
        ("free-text = \"drop\"\nattachments = [\"application/pdf\"]", "1||"),
    ];
    for (at, (choice, expected)) in choices.into_iter().enumerate() {
        let mut client = estate(&format!("texts_{at}")).await;
        let policy: Policy = toml::from_str(&format!("passwords = \"keep\"\n[anonymise]\n{choice}")).unwrap();
        sanitised(&mut client, &policy).await;
        let seen = "SELECT (SELECT count(*) FROM mail_message) || '|'
            || coalesce((SELECT body FROM mail_message WHERE id = 1), '') || '|'
            || coalesce((SELECT name || ' ' || store_fname FROM ir_attachment WHERE id = 1), '')";
        assert_eq!(one(&client, seen).await, expected, "{choice}");
        let from = "SELECT count(*)::text FROM mail_message WHERE email_from NOT LIKE '%.invalid'";
        assert_eq!(one(&client, from).await, "0", "{choice}");
    }
    assert_eq!(Anonymise::default().free_text, FreeText::Blank);
}

#[tokio::test]
async fn only_what_was_chosen_changes() {
    let mut client = estate("chosen").await;
    let before = one(
        &client,
        "SELECT string_agg(name || email, ' ' ORDER BY id) FROM res_partner WHERE id > 10",
    )
    .await;
    let policy: Policy = toml::from_str("passwords = \"keep\"\nanonymise = [\"crm.lead\"]").unwrap();
    sanitised(&mut client, &policy).await;
    let after = one(
        &client,
        "SELECT string_agg(name || email, ' ' ORDER BY id) FROM res_partner WHERE id > 10",
    )
    .await;
    assert_eq!(after, before);
    assert_eq!(one(&client, "SELECT name FROM crm_lead WHERE id = 1").await, "Lead 1");

    let policy: Policy = toml::from_str("passwords = \"keep\"\nanonymise = [\"res.partner\", \"crm.laed\"]").unwrap();
    let error = sanitise(&mut client, &odoo::rules(), &policy, &odoo::stack())
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "no rule anonymises the model `crm.laed`");
}

#[tokio::test]
async fn an_audit_knows_whether_people_were_replaced() {
    let mut client = estate("audited_people").await;
    let (rules, stack) = (odoo::rules(), odoo::stack());
    verify(&mut client, (), &rules, &odoo::policy(), &stack).await.unwrap();
    let policy = everybody(Anonymise::everything());
    let before = everything(&client).await;
    let report = audit(&mut client, &rules, &policy, &stack).await.unwrap();
    assert_eq!(report.verdict, Some(Verdict::NotSanitised));
    let held: Vec<_> = report.remainders.iter().map(|left| left.rule.as_str()).collect();
    assert!(
        held.contains(&"anonymise-partners") && held.contains(&"anonymise-messages"),
        "{held:?}"
    );
    assert_eq!(everything(&client).await, before);

    verify(&mut client, (), &rules, &policy, &stack).await.unwrap();
    // What people write in the copy is its own.
    client
        .batch_execute("UPDATE res_partner SET name = 'Tested', write_date = now() AT TIME ZONE 'UTC' + interval '1 minute' WHERE id = 13")
        .await
        .unwrap();
    let report = audit(&mut client, &rules, &policy, &stack).await.unwrap();
    assert_eq!(
        report.verdict,
        Some(Verdict::Sanitised),
        "{:#?}",
        report.verdict_lines()
    );
}

#[tokio::test]
async fn addresses_that_no_rule_knows_are_reported() {
    let mut client = estate("unlisted_people").await;
    client
        .batch_execute(
            "CREATE TABLE club_member (id serial PRIMARY KEY, contact varchar, note text, message_id varchar);
             INSERT INTO club_member (contact, note, message_id) VALUES
               ('zaphod@beeblebrox.name', 'ask a@b.invalid', '<1@mail.far.net>'), ('x@people.invalid', 'or x@localhost', NULL)",
        )
        .await
        .unwrap();
    let (rules, stack, policy) = (odoo::rules(), odoo::stack(), everybody(Anonymise::everything()));
    let report = sanitise(&mut client, &rules, &policy, &stack).await.unwrap();
    let found: Vec<_> = report.findings.iter().map(ToString::to_string).collect();
    let club: Vec<_> = found.iter().filter(|line| line.starts_with("club_member")).collect();
    assert_eq!(club, ["club_member.contact: 1 row, mail addresses: reported"]);
}

#[tokio::test]
async fn rules_of_a_project_may_speak_of_people() {
    let mut client = estate("own_people").await;
    client
        .batch_execute(
            "CREATE TABLE club_member (id serial PRIMARY KEY, partner_id int, nick varchar, contact varchar);
             INSERT INTO club_member (partner_id, nick, contact) VALUES (13, 'Zaphod', 'zaphod@home.example'), (NULL, 'Иннокентий', NULL)",
        )
        .await
        .unwrap();
    let mut rules = odoo::rules();
    let text = "[[rule]]\nname = \"club\"\nwhy = \"Members\"\nmodule = \"club\"\nwhen = { anonymise = \"club.member\" }\n\
                table = \"club_member\"\nperson = [\"partner_id\"]\n\
                set = { nick = { fake = \"given-name\" }, contact = { fake = \"email\" } }\n";
    rules.extend_from(Utf8Path::new("own.toml"), text).unwrap();
    let policy: Policy =
        toml::from_str("passwords = \"keep\"\nanonymise = [\"club.member\", \"res.partner\"]").unwrap();
    sanitise(&mut client, &rules, &policy, &odoo::stack()).await.unwrap();
    let same = "SELECT (m.contact = p.email AND p.name LIKE m.nick || ' %')::text FROM club_member m JOIN res_partner p ON p.id = m.partner_id";
    assert_eq!(one(&client, same).await, "true");
    assert_eq!(
        one(
            &client,
            "SELECT (nick ~ '^[Ѐ-ӿ]+$')::text FROM club_member WHERE id = 2"
        )
        .await,
        "true"
    );
}

#[tokio::test]
async fn service_users_are_nobody() {
    let mut client = estate("programs").await;
    let policy: Policy = toml::from_str(
        "passwords = \"keep\"\nanonymise = true\n[[service-users]]\nlogin = \"bot\"\nname = \"The bot\"\napi-key = \"0f1e2d3c4b5a69788796a5b4\"",
    )
    .unwrap();
    sanitised(&mut client, &policy).await;
    let bot = "SELECT u.login || ' ' || p.name || ' ' || p.email FROM res_users u JOIN res_partner p ON p.id = u.partner_id WHERE u.login = 'bot'";
    assert_eq!(one(&client, bot).await, "bot The bot bot@localhost");
}

#[tokio::test]
async fn indexes_of_large_tables_are_what_they_were() {
    let mut client = estate("indexes").await;
    client
        .batch_execute(
            "CREATE INDEX mail_message_author ON mail_message (author_id);
             COMMENT ON INDEX mail_message_author IS 'the definition that Odoo compares';
             CREATE UNIQUE INDEX mail_message_once ON mail_message (id, lower(email_from)) WHERE author_id IS NOT NULL;
             ALTER TABLE mail_message ADD CONSTRAINT mail_message_twice UNIQUE (id, author_id);
             INSERT INTO mail_message (author_id, email_from, body, message_type)
               SELECT 13, i || '@home.example', repeat('whispered ', 60), 'comment' FROM generate_series(1, 200000) i",
        )
        .await
        .unwrap();
    let seen = "SELECT string_agg(indexrelid::text || pg_get_indexdef(indexrelid) || coalesce(obj_description(indexrelid, 'pg_class'), '')
        || indisvalid, ' ' ORDER BY indexrelid::regclass::text) FROM pg_index WHERE indrelid = 'mail_message'::regclass";
    let oids = |text: &str| {
        let words = text.split(|c: char| !c.is_ascii_digit());
        words.map(str::to_owned).collect::<BTreeSet<_>>()
    };
    let without = |text: &str| text.chars().filter(|c| !c.is_ascii_digit()).collect::<String>();
    let before = one(&client, seen).await;
    let (rules, stack, policy) = (odoo::rules(), odoo::stack(), everybody(Anonymise::everything()));
    sanitise(&mut client, &rules, &policy, &stack).await.unwrap();
    let after = one(&client, seen).await;
    assert_eq!(without(&after), without(&before));
    assert_ne!(
        oids(&after),
        oids(&before),
        "no index was set aside: the table is too small to show anything"
    );
    // A second run finds nothing to do and builds nothing.
    sanitise(&mut client, &rules, &policy, &stack).await.unwrap();
    assert_eq!(one(&client, seen).await, after);
}
