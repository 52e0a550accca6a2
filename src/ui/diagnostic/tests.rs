use std::ops::Range;

use crate::error::{ExitCode, Source};

use super::*;

const MANIFEST: &str =
    "[tasks.start]\nabout = \"Start\"\nneeds = [\"state-root\", \"databse\"]\nrun = { compose = [\"up\"] }\n";

fn unknown_need() -> Diagnostic {
    let start = MANIFEST.find("\"databse\"").unwrap();
    Diagnostic::new(ExitCode::Usage, "unknown task `databse`")
        .at(Some(Place {
            source: Source {
                path: "tasks.toml".into(),
                text: MANIFEST.into(),
            },
            span: start..start + 9,
            label: "no task has this name".into(),
        }))
        .note("every name in `needs` must be a task of this manifest or of one it includes")
        .hint("did you mean `database`?")
}

fn plain(diagnostic: &Diagnostic) -> String {
    draw(diagnostic, Paint::new(false), Some(80))
}

#[test]
fn shows_the_place_why_and_what_to_do() {
    insta::assert_snapshot!(plain(&unknown_need()), @r#"
    error: unknown task `databse`
      ╭▸ tasks.toml:3:24
      │
    3 │ needs = ["state-root", "databse"]
      ╰╴                       ━━━━━━━━━ no task has this name
    why: every name in `needs` must be a task of this manifest or of one it includes
    help: did you mean `database`?
    "#);
}

#[test]
fn shows_a_commands_last_words() {
    let diagnostic = Diagnostic::new(ExitCode::Failed, "copy-database: pg_restore exited with 1")
        .evidence([
            "pg_restore: connecting\npg_restore: \x1b[31merror\x1b[0m: could not extend file".into(),
            String::new(),
            "HINT: Check free disk space.".into(),
        ])
        .note("the command was:\nssh upstream 'pg_dump …' | pg_restore …")
        .hint("free space under /var/lib/docker, then run the same command again");
    insta::assert_snapshot!(plain(&diagnostic), @"
    error: copy-database: pg_restore exited with 1
      │ pg_restore: connecting
      │ pg_restore: error: could not extend file
      │
      │ HINT: Check free disk space.
    why: the command was:
         ssh upstream 'pg_dump …' | pg_restore …
    help: free space under /var/lib/docker, then run the same command again
    ");
}

#[test]
fn colours_only_where_allowed() {
    let painted = draw(&unknown_need(), Paint::new(true), Some(80));
    assert!(painted.contains('\x1b'));
    assert!(!plain(&unknown_need()).contains('\x1b'));
    assert_eq!(console::strip_ansi_codes(&painted), plain(&unknown_need()));
}

#[test]
fn a_wrong_span_spoils_nothing() {
    let source = Source {
        path: "a.env".into(),
        text: "NAME=größe\n".into(),
    };
    let backwards = Range { start: 11, end: 3 };
    for span in [0..0, 7..9, 8..8, 9..400, 400..500, backwards] {
        let place = Place {
            source: source.clone(),
            span: span.clone(),
            label: "here".into(),
        };
        let shown = plain(&Diagnostic::new(ExitCode::Usage, "odd").at(Some(place)));
        assert!(shown.contains("a.env:") && shown.contains("here"), "{span:?}\n{shown}");
    }
    let empty = Source {
        path: "empty.env".into(),
        text: "".into(),
    };
    let place = Place {
        source: empty,
        span: 0..0,
        label: "nothing here".into(),
    };
    assert!(plain(&Diagnostic::new(ExitCode::Usage, "odd").at(Some(place))).contains("empty.env"));
}

#[test]
fn a_hostile_text_draws_no_more_than_text() {
    let text = "A=\x1b[2Jgone\x07\r\nB=2\r\n";
    let place = Place {
        source: Source {
            path: "x.env".into(),
            text: text.into(),
        },
        span: 0..3,
        label: "\x1b[1A".into(),
    };
    let shown = plain(&Diagnostic::new(ExitCode::Usage, "a\x1b[2Jb\nc").at(Some(place)));
    assert!(
        !shown
            .chars()
            .any(|character| character.is_control() && character != '\n'),
        "{shown:?}"
    );
}
