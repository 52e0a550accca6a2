//! The exact lines that an upstream is sent.

use camino::Utf8Path;

use super::{Compression, Question, ReadOnly, Upstream, UpstreamError};

const SSH: &str = "ssh -o BatchMode=yes -o StrictHostKeyChecking=yes -o ConnectTimeout=15 -o ServerAliveInterval=15 \
                   -o ServerAliveCountMax=4 -o ClearAllForwardings=yes -o ForwardAgent=no \
                   -o RequestTTY=no -o RemoteCommand=none -o LogLevel=ERROR";

fn upstream(target: &str) -> Upstream {
    Upstream::new(
        "opw-prod",
        target.parse().unwrap(),
        "opw",
        "odoo",
        "/opt/odoo/filestore/opw/",
    )
    .unwrap()
}

fn remote(command: &ReadOnly) -> &str {
    command.command().arguments().last().unwrap()
}

#[test]
fn a_dump_runs_as_the_database_user_in_a_read_only_session() {
    let dump = upstream("root@opw-prod.example").pg_dump(Compression::Lz4);
    assert_eq!(
        remote(&dump),
        "cd / && sudo -n -u odoo env 'PGOPTIONS=-c default_transaction_read_only=on' \
         pg_dump -Fc -Z lz4 --no-password -B --lock-wait-timeout=60s opw"
    );
    assert!(dump.to_string().starts_with(&format!("{SSH} root@opw-prod.example ")));
    assert!(dump.command().environment().is_empty());
}

#[test]
fn the_database_user_itself_needs_no_sudo() {
    let dump = upstream("odoo@opw-prod.example").pg_dump(Compression::None);
    assert!(remote(&dump).starts_with("cd / && env 'PGOPTIONS=-c default_transaction_read_only=on' pg_dump -Fc -Z 0 "));
}

#[test]
fn a_probe_is_the_dump_of_one_small_table() {
    let arguments = Compression::PREFERENCE.map(|compression| {
        let probe = upstream("h").probe(compression);
        let (_, tool) = remote(&probe).split_once(" pg_dump ").unwrap();
        tool.to_owned()
    });
    assert_eq!(
        arguments,
        ["lz4", "zstd:1", "1", "0"]
            .map(|level| format!("-Fc -Z {level} --no-password -B --lock-wait-timeout=60s --table=res_lang opw"))
    );
}

#[test]
fn a_question_is_a_select_in_a_read_only_transaction() {
    for question in Question::ALL {
        let ask = upstream("h").ask(question);
        let words = shlex::split(remote(&ask)).unwrap();
        assert_eq!(words[..3], ["cd", "/", "&&"]);
        let expected = [
            "sudo",
            "-n",
            "-u",
            "odoo",
            "env",
            "PGOPTIONS=-c default_transaction_read_only=on -c statement_timeout=60s",
            "psql",
            "-X",
            "-q",
            "-At",
            "-v",
            "ON_ERROR_STOP=1",
            "--no-password",
            "-c",
            "BEGIN TRANSACTION READ ONLY",
            "-c",
            &question.sql(),
            "-c",
            "COMMIT",
            "opw",
        ];
        assert_eq!(words[3..], expected);
        assert!(question.sql().starts_with("SELECT ") && !question.sql().contains(';'));
    }
}

#[test]
fn the_filestore_is_pulled_and_the_other_end_is_a_folder_here() {
    let upstream = upstream("ssh://root@opw-prod.example:2222");
    let pull = upstream
        .pull_filestore(
            Utf8Path::new("/srv/new store/"),
            Some(Utf8Path::new("/srv/live")),
            Some((1000, 1000)),
        )
        .unwrap();
    let arguments = pull.command().arguments();
    assert_eq!(pull.command().program(), "rsync");
    assert_eq!(
        arguments,
        [
            "--recursive",
            "--size-only",
            "--chmod=D0750,F0640",
            "--exclude=/checklist/",
            "--exclude=/.opw-task-run",
            "--no-inc-recursive",
            "--info=progress2",
            "--no-human-readable",
            "--outbuf=L",
            "--link-dest=/srv/live/",
            "--owner",
            "--group",
            "--chown=1000:1000",
            &format!("--rsh={SSH} -p 2222"),
            "root@opw-prod.example:/opt/odoo/filestore/opw/",
            "/srv/new store/",
        ]
    );
    let look = upstream.measure_filestore(Utf8Path::new("/srv/new"), None).unwrap();
    let words = look.command().arguments();
    assert!(words.contains(&"--dry-run".to_owned()), "{words:?}");
    assert_eq!(words.last().map(String::as_str), Some("/srv/new/"));
    for path in ["relative", "root@opw-prod.example:/x", "/", "/a/../b", ""] {
        let error = upstream.pull_filestore(Utf8Path::new(path), None, None).unwrap_err();
        assert!(matches!(error, UpstreamError::Local { .. }), "{path}");
        assert!(
            upstream
                .pull_filestore(Utf8Path::new("/a"), Some(Utf8Path::new(path)), None)
                .is_err(),
            "{path}"
        );
    }
}

#[test]
fn what_is_no_name_is_refused() {
    let target = || "root@h".parse().unwrap();
    for text in [
        "",
        "-f",
        "a b",
        "dbname=x",
        "postgresql://x",
        "a;b",
        "$(id)",
        "a'b",
        "#0",
        "..",
        "a\nb",
    ] {
        let error = Upstream::new("u", target(), text, "odoo", "/x").unwrap_err();
        assert!(matches!(error, UpstreamError::Name { what: "database", .. }), "{text}");
        assert!(
            matches!(
                Upstream::new("u", target(), "opw", text, "/x"),
                Err(UpstreamError::Name { .. })
            ),
            "{text}"
        );
    }
    for path in ["", "/", "x", "/a b", "/a;b", "/$(id)", "/a/../b", "/a*", "~/x", "/a:b"] {
        assert!(
            matches!(
                Upstream::new("u", target(), "opw", "odoo", path),
                Err(UpstreamError::Remote { .. })
            ),
            "{path}"
        );
    }
}
