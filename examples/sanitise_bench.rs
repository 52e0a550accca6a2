//! Sanitises and verifies one database as a restore does, and prints what each took. For `scripts/bench --sanitise`.
//!
//! `cargo run --release --example sanitise_bench -- HOST PORT USER DATABASE [people|script]`, the password in `PGPASSWORD`.
//! What it is given is changed: give it a copy. With `people`, personal data are replaced too; with `script`, nothing is
//! done and the same statements are printed for psql.
#![allow(clippy::print_stdout, reason = "what it prints is what it is for")]

use std::error::Error;
use std::time::Instant;

use opw_task::sanitise::{Anonymise, Facts, Passwords, Policy, RuleSet, preview, sanitise, verify};
use opw_task::secret::Secret;
use tokio_postgres::{Config, NoTls};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let (place, people, script) = match &arguments[..] {
        [place @ .., last] if last == "people" => (place, true, false),
        [place @ .., last] if last == "script" => (place, true, true),
        place => (place, false, false),
    };
    let [host, port, user, database] = place else {
        return Err("usage: sanitise_bench HOST PORT USER DATABASE [people|script]".into());
    };
    let mut config = Config::new();
    config.host(host).port(port.parse()?).user(user).dbname(database);
    config
        .password(std::env::var("PGPASSWORD")?)
        .application_name("opw-task bench");
    let rules = RuleSet::builtin()?;
    let mut policy = Policy::default();
    if people {
        policy.anonymise = Anonymise::everything();
        policy.passwords = Passwords::Keep;
    }
    let mut facts = Facts {
        // As a restore has it: one password for the administrator, one for everybody else.
        admin_password: Some(Secret::new("a password of some length")),
        base_url: "https://copy.example".to_owned(),
        ..Facts::default()
    };

    // A session each, as the restore has them.
    let (mut client, connection) = config.connect(NoTls).await?;
    tokio::spawn(connection);
    if script {
        for statement in preview(&mut client, &rules, &policy, &facts).await? {
            println!("{}", statement.to_script());
        }
        return Ok(());
    }
    let begun = Instant::now();
    let report = sanitise(&mut client, &rules, &policy, &facts).await?;
    println!("sanitise {:.3}", begun.elapsed().as_secs_f64());
    drop(client);
    facts.production_names.clone_from(&report.production_names);
    facts.admin_hash.clone_from(&report.admin_hash);

    let (mut client, connection) = config.connect(NoTls).await?;
    tokio::spawn(connection);
    let begun = Instant::now();
    let verified = verify(&mut client, (), &rules, &policy, &facts).await;
    println!("verify {:.3}", begun.elapsed().as_secs_f64());
    println!("rows {} findings {}", report.rows(), report.findings.len());
    match verified {
        Ok(_) => Ok(()),
        Err(refused) => Err(refused.reason.into()),
    }
}
