//! Reports on paper: a file that only its owner reads, with nothing in it that acts on a terminal.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output};

use crate::world::{Estate, Plan};

/// A table that somebody called so, to clear the screen and rename the window of whoever reads of it.
const TABLE: &str = "evil\x1b[2J\x1b]0;renamed\x07\n# Sanitising: SANITISED";

fn audit(shop: &Estate, report: &str) -> Output {
    Command::new("sh")
        .args(["-c", "umask 0; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_opw-task")])
        .args(["audit", "shop", "--report", report])
        .current_dir(shop.path(""))
        .output()
        .unwrap()
}

#[test]
fn a_report_is_its_owner_s_and_acts_on_no_terminal() {
    let shop = Plan::named("report").make();
    shop.does(&["up", "shop"]);
    shop.sql(&format!("CREATE TABLE \"{TABLE}\" (api_key text)"));
    shop.sql(&format!("INSERT INTO \"{TABLE}\" VALUES ('x')"));

    shop.write("old.md", "what stood there before, and was longer than nothing");
    fs::set_permissions(shop.path("old.md"), fs::Permissions::from_mode(0o666)).unwrap();
    for report in ["old.md", "new.md"] {
        let ended = audit(&shop, report);
        assert_eq!(ended.status.code(), Some(1), "{ended:?}");
        let mode = fs::metadata(shop.path(report)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{report}: {ended:?}");
        let text = fs::read_to_string(shop.path(report)).unwrap();
        assert!(text.starts_with("# Sanitising: NOT SANITISED\n"), "{text}");
        assert!(
            text.contains("- evil # Sanitising: SANITISED.api_key: 1 row, by its name"),
            "{text}"
        );
        let acting: Vec<_> = text.chars().filter(|c| c.is_control() && *c != '\n').collect();
        assert!(acting.is_empty(), "{text:?}");
        assert_eq!(text.matches("\n# ").count(), 0, "{text}");
    }

    // What is no file stays what it is.
    let ended = audit(&shop, "/dev/stdout");
    let printed = String::from_utf8(ended.stdout).unwrap();
    assert!(printed.contains("# Sanitising: NOT SANITISED\n"), "{printed}");
}
