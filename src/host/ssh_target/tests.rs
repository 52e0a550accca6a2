//! Which targets are understood, and the exact options and lines that come of them.

use super::*;
use crate::secret::Secret;

const OPTIONS: &str = "-o BatchMode=yes -o StrictHostKeyChecking=yes -o ConnectTimeout=15 -o ServerAliveInterval=15 \
                       -o ServerAliveCountMax=4 -o ClearAllForwardings=yes -o ForwardAgent=no \
                   -o RequestTTY=no -o RemoteCommand=none -o LogLevel=ERROR";

fn target(text: &str) -> SshTarget {
    text.parse().unwrap()
}

#[test]
fn forms_that_are_understood() {
    for (text, user, host, port) in [
        ("docker.example", None, "docker.example", None),
        ("root@docker.example", Some("root"), "docker.example", None),
        ("ssh://root@docker.example", Some("root"), "docker.example", None),
        (
            "ssh://root@docker.example:22722/",
            Some("root"),
            "docker.example",
            Some(22722),
        ),
        ("ssh://[::1]:22", None, "::1", Some(22)),
        ("root@[fe80::1]", Some("root"), "fe80::1", None),
    ] {
        let target = target(text);
        assert_eq!(
            (target.user(), target.host(), target.port()),
            (user, host, port),
            "{text}"
        );
        assert_eq!(target.to_string().parse::<SshTarget>().unwrap(), target);
    }
}

#[test]
fn forms_that_are_refused() {
    for text in [
        "",
        "-oProxyCommand=x",
        "root@-oProxyCommand=x",
        "-l@host",
        "a b",
        "h;id",
        "a@b@c",
        "ssh://h/path",
        "@h",
        "u@",
    ] {
        assert!(
            matches!(text.parse::<SshTarget>(), Err(SshTargetError::Name { .. })),
            "{text}"
        );
    }
    assert!(matches!(
        "root@host:22".parse::<SshTarget>(),
        Err(SshTargetError::Colon { .. })
    ));
    for text in ["ssh://h:0", "ssh://h:65536", "ssh://h:+22", "ssh://h:", "ssh://h:x"] {
        assert!(
            matches!(text.parse::<SshTarget>(), Err(SshTargetError::Port { .. })),
            "{text}"
        );
    }
    for path in ["key", "/a b", "/a'b", "/%h", "/${HOME}"] {
        assert!(
            matches!(target("h").with_identity(path), Err(SshTargetError::Path { .. })),
            "{path}"
        );
        assert!(target("h").with_known_hosts(path).is_err(), "{path}");
    }
}

#[test]
fn the_remote_line_is_quoted_once_more() {
    let remote = Command::new("echo")
        .arg("it's $HOME")
        .folder("/a b")
        .env("K", Env::Plain("x y".into()))
        .env("L", Env::Unset);
    let command = target("ssh://root@h:2222").command(&remote).unwrap();
    assert_eq!(
        command.arguments().last().unwrap(),
        r#"cd '/a b' && env -u L 'K=x y' echo "it's "'$HOME'"#
    );
    assert!(
        command
            .to_string()
            .starts_with(&format!("ssh {OPTIONS} -p 2222 root@h ")),
        "{command}"
    );
}

#[test]
fn key_and_known_hosts_are_the_only_ones() {
    let target = target("h")
        .with_identity("/k")
        .unwrap()
        .with_known_hosts("/kh")
        .unwrap();
    assert_eq!(
        target.rsh(),
        format!("ssh {OPTIONS} -i /k -o IdentitiesOnly=yes -o UserKnownHostsFile=/kh")
    );
}

#[test]
fn a_secret_does_not_go_into_a_remote_line() {
    let remote = Command::new("psql").env("PGPASSWORD", Env::Secret(Secret::new("CANARY")));
    let error = target("root@h").command(&remote).unwrap_err();
    assert!(matches!(&error, HostError::SecretInRemoteCommand { key, .. } if key == "PGPASSWORD"));
    assert!(!format!("{error:?}").contains("CANARY"));
}
