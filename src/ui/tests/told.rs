//! What is told of a run, line by line, without a terminal.

use super::*;

#[test]
fn plain_lines_tell_what_matters_and_nothing_moves() {
    let shown = show(Mode::Auto, Verbosity::Normal, &good_run(), None);
    insta::assert_snapshot!(shown.err, @"
    restore demo (run 20261122t134501x7k2)
    [database] Start PostgreSQL
    [database] done in 1.2 s
    [copy-database] Stream the upstream's rows
    [copy-database] 10 %, 130.0 MB of 1.2 GB, mail_message
    [copy-database] 100 %, 1.2 GB of 1.2 GB, mail_message
    [copy-database] 412 tables, 3 of them empty
    [copy-database] warning: the upstream runs PostgreSQL 13
    [copy-database] done in 1 min 23 s
    [modules] skipped: ODOO_UPDATE_MODULES is empty
    done: restore demo in 1 min 24 s, 1 warning
    ");
    assert_eq!(shown.out, "");
    assert!(!shown.err.contains('\x1b') && !shown.err.contains('\r'));
}

#[test]
fn plain_lines_of_children_are_cleaned_and_prefixed() {
    let shown = show(Mode::Plain, Verbosity::Verbose, &good_run()[..5], None);
    insta::assert_snapshot!(shown.err, @"
    restore demo (run 20261122t134501x7k2)
    [database] Start PostgreSQL
    [database] $ docker compose up -d database
    [database] │  Container demo-database-1  Started
    [database] done in 1.2 s
    cancelled: restore demo
    ");
}

#[test]
fn a_failure_is_named_last_with_its_log() {
    let shown = show(Mode::Plain, Verbosity::Normal, &bad_run(), Some(&why()));
    insta::assert_snapshot!(shown.err, @"
    restore demo (run 20261122t134501x7k2)
    [copy-database] started
    [copy-filestore] started
    [copy-database] failed after 12.0 s: pg_restore exited with 1
    [copy-filestore] cancelled after 12.1 s
    cancelled before they began: sanitise, activate
    error: copy-database: pg_restore exited with 1
      │ pg_restore: error: out of disk
    help: free space under /var/lib/docker
    failed: copy-database: pg_restore exited with 1 — log: .opw-task/runs/R/copy-database.log
    ");
}

#[test]
fn quiet_says_failures_only() {
    assert_eq!(show(Mode::Quiet, Verbosity::Normal, &good_run(), None).err, "");
    let shown = show(Mode::Quiet, Verbosity::Normal, &bad_run(), Some(&why()));
    insta::assert_snapshot!(shown.err, @"
    error: copy-database: pg_restore exited with 1
      │ pg_restore: error: out of disk
    help: free space under /var/lib/docker
    failed: copy-database: pg_restore exited with 1 — log: .opw-task/runs/R/copy-database.log
    ");
}

#[test]
fn an_interrupted_run_is_cancelled_not_failed() {
    let mut events = bad_run();
    events.truncate(3);
    events.push(end("copy-database", Outcome::Cancelled, 3.0));
    events.push(Event::RunFinished {
        ok: false,
        seconds: 3.1,
        failed: vec![],
    });
    let shown = show(Mode::Plain, Verbosity::Normal, &events, None);
    assert!(
        shown
            .err
            .ends_with("[copy-database] cancelled after 3.0 s\ncancelled: restore demo after 3.1 s\n"),
        "{}",
        shown.err
    );
}

#[test]
fn several_failures_end_with_the_first() {
    let mut events = bad_run();
    events.pop();
    let failed = vec!["copy-database".into(), "copy-filestore".into()];
    events.push(Event::RunFinished {
        ok: false,
        seconds: 12.2,
        failed,
    });
    let shown = show(Mode::Quiet, Verbosity::Normal, &events, None);
    insta::assert_snapshot!(shown.err, @"
    also failed: copy-filestore
    failed: copy-database: pg_restore exited with 1 — log: .opw-task/runs/R/copy-database.log
    ");
}
