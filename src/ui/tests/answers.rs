//! What goes out as an answer, and what as talk.

use super::*;

#[test]
fn json_is_one_object_a_line_and_standard_error_stays_empty() {
    let shown = show(Mode::Json, Verbosity::Verbose, &bad_run(), Some(&why()));
    assert_eq!(shown.err, "");
    insta::assert_snapshot!(shown.out, @r#"
    {"event":"run-started","run":"20261122t134501x7k2","title":"restore demo","nodes":[{"name":"copy-database","about":"","skipped":null,"shown":false},{"name":"copy-filestore","about":"","skipped":null,"shown":false},{"name":"sanitise","about":"","skipped":null,"shown":false},{"name":"activate","about":"","skipped":null,"shown":false}]}
    {"event":"node-started","node":"copy-database"}
    {"event":"node-started","node":"copy-filestore"}
    {"event":"line","node":"copy-database","stream":"out","text":"pg_restore: error: out of disk"}
    {"event":"node-finished","node":"copy-database","outcome":{"kind":"failed","error":"pg_restore exited with 1"},"seconds":12.0}
    {"event":"node-finished","node":"copy-filestore","outcome":{"kind":"cancelled"},"seconds":12.1}
    {"event":"node-finished","node":"sanitise","outcome":{"kind":"cancelled"},"seconds":0.0}
    {"event":"node-finished","node":"activate","outcome":{"kind":"cancelled"},"seconds":0.0}
    {"event":"run-finished","ok":false,"seconds":12.2,"failed":["copy-database"]}
    {"event":"error","title":"copy-database: pg_restore exited with 1","evidence":["pg_restore: error: out of disk"],"notes":[],"hints":["free space under /var/lib/docker"],"exit":1}
    "#);
}

#[test]
fn what_was_asked_for_goes_out_as_it_is_and_once() {
    let out = "  \x1b[1mNAME\x1b[0m   STATE\n";
    let quiet = show(Mode::Quiet, Verbosity::Normal, &asked_run(), None);
    assert_eq!((quiet.out.as_str(), quiet.err.as_str()), (out, "a remark\n"));
    for verbosity in [Verbosity::Normal, Verbosity::Verbose] {
        let plain = show(Mode::Plain, verbosity, &asked_run(), None);
        assert_eq!(plain.out, out);
        assert!(
            plain.err.contains("\na remark\n") && !plain.err.contains("NAME"),
            "{}",
            plain.err
        );
        assert_eq!(plain.err.contains("not asked for"), verbosity == Verbosity::Verbose);
    }
    let json = show(Mode::Json, Verbosity::Normal, &asked_run(), None);
    assert_eq!(json.err, "");
    assert_eq!(json.out.matches("NAME").count(), 1, "{}", json.out);
}

#[test]
fn data_and_talk_go_different_ways() {
    let (out, err) = (Kept::default(), Kept::default());
    let mut ui = Ui::on(
        Mode::Auto,
        Verbosity::Normal,
        NOWHERE,
        Printer::new(out.clone(), err.clone()),
    );
    let mut table = Table::new(["task", "about"]);
    table.row(["up", "Start a stack"]);
    ui.say("two stacks are known");
    ui.warn("`opw-dev` has no upstream");
    ui.data("services: {}\n");
    ui.table(&table);
    ui.finish(|_| None).unwrap();
    assert_eq!(out.text(), "services: {}\ntask  about\nup    Start a stack\n");
    assert_eq!(err.text(), "two stacks are known\nwarning: `opw-dev` has no upstream\n");
}

#[test]
fn a_reader_that_has_enough_is_no_failure_but_a_full_disk_is() {
    struct Broken(io::ErrorKind);
    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let finish = |kind| {
        let mut ui = Ui::on(
            Mode::Auto,
            Verbosity::Normal,
            NOWHERE,
            Printer::new(Broken(kind), io::sink()),
        );
        ui.data("text");
        ui.finish(|_| None)
    };
    assert!(finish(io::ErrorKind::BrokenPipe).is_ok());
    assert_eq!(
        finish(io::ErrorKind::StorageFull).unwrap_err().kind(),
        io::ErrorKind::StorageFull
    );
}
