//! A plan as `--dry-run` shows it: a shell script that a person could follow.

use camino::Utf8PathBuf;
use serde::{Serialize, Serializer};

use super::paint::Paint;
use crate::plain_text;

/// What a run would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlanView {
    /// What was asked for, such as `restore opw-testing`.
    pub title: String,
    /// The nodes in plan order.
    pub nodes: Vec<NodeView>,
}

/// What one node would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NodeView {
    /// Its name.
    pub name: String,
    /// What it does, one line; may be empty.
    pub about: String,
    /// The nodes it waits for.
    pub needs: Vec<String>,
    /// Why it would not run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skipped: Option<String>,
    /// Its steps in order.
    pub steps: Vec<StepView>,
}

/// One step of a node. Secrets are masked in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", content = "value", rename_all = "kebab-case")]
pub enum StepView {
    /// A command line as a person could type it.
    Command(String),
    /// SQL that is sent over a connection of the program's own.
    Sql(String),
    /// A file that is written.
    File {
        /// Where.
        path: Utf8PathBuf,
        /// Its permissions.
        #[serde(serialize_with = "octal")]
        mode: u32,
    },
    /// Anything else worth knowing, one line or more.
    Note(String),
}

impl PlanView {
    /// The script; the text ends with a line end.
    ///
    /// Everything but commands is a comment. SQL too: it belongs to a certain database, and must not reach another one
    /// because somebody pasted it.
    pub(super) fn script(&self, paint: Paint) -> String {
        let mut script = String::new();
        for line in comment("", &self.title) {
            script.push_str(&(paint.strong(&line) + "\n"));
        }
        for node in &self.nodes {
            script.push('\n');
            node.write(&mut script, paint);
        }
        script
    }
}

impl NodeView {
    fn write(&self, script: &mut String, paint: Paint) {
        for line in comment("", &self.heading()) {
            script.push_str(&(paint.accent(&line) + "\n"));
        }
        if let Some(reason) = &self.skipped {
            for line in comment("skipped: ", reason) {
                script.push_str(&(paint.dim(&line) + "\n"));
            }
            return;
        }
        for step in &self.steps {
            let remark = match step {
                StepView::Command(line) => {
                    script.extend(plain_text::lines(line).map(|line| line + "\n"));
                    continue;
                }
                StepView::Sql(text) => comment("sql: ", text),
                StepView::File { path, mode } => comment("writes ", &format!("{path} (mode {mode:04o})")),
                StepView::Note(text) => comment("", text),
            };
            for line in remark {
                script.push_str(&(paint.dim(&line) + "\n"));
            }
        }
    }

    fn heading(&self) -> String {
        let about = if self.about.is_empty() {
            String::new()
        } else {
            format!(" — {}", self.about)
        };
        let after = if self.needs.is_empty() {
            String::new()
        } else {
            format!(" (after: {})", self.needs.join(", "))
        };
        format!("{}{about}{after}", self.name)
    }
}

/// Comment lines; those after the first are indented as far as its prefix reaches.
fn comment(prefix: &str, text: &str) -> Vec<String> {
    let indent = " ".repeat(prefix.len());
    let prefixes = std::iter::once(prefix).chain(std::iter::repeat(indent.as_str()));
    let lines = prefixes.zip(plain_text::lines(text));
    lines
        .map(|(prefix, line)| format!("# {prefix}{line}").trim_end().to_owned())
        .collect()
}

// Serde hands every field to its function by reference.
#[expect(clippy::trivially_copy_pass_by_ref)]
fn octal<S: Serializer>(mode: &u32, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{mode:04o}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn restore() -> PlanView {
        let node = |name: &str, needs: &[&str], steps| NodeView {
            name: name.to_owned(),
            about: format!("About {name}"),
            needs: needs.iter().map(ToString::to_string).collect(),
            skipped: None,
            steps,
        };
        let command = |line: &str| StepView::Command(line.to_owned());
        PlanView {
            title: "restore demo".to_owned(),
            nodes: vec![
                node(
                    "env",
                    &[],
                    vec![StepView::File {
                        path: "/srv/demo/.env".into(),
                        mode: 0o600,
                    }],
                ),
                node("database", &["env"], vec![command("docker compose up -d database")]),
                NodeView {
                    skipped: Some("ODOO_UPDATE_MODULES is empty".to_owned()),
                    ..node("modules", &["env", "database"], vec![command("never shown")])
                },
                node(
                    "sanitise",
                    &["database"],
                    vec![
                        StepView::Note("in one transaction\nrm -rf / # stays a comment".to_owned()),
                        StepView::Sql(
                            "UPDATE ir_cron SET active = false;\nUPDATE ir_mail_server\n  SET active = false;"
                                .to_owned(),
                        ),
                    ],
                ),
            ],
        }
    }

    #[test]
    fn reads_as_a_script() {
        insta::assert_snapshot!(restore().script(Paint::new(false)), @"
        # restore demo

        # env — About env
        # writes /srv/demo/.env (mode 0600)

        # database — About database (after: env)
        docker compose up -d database

        # modules — About modules (after: env, database)
        # skipped: ODOO_UPDATE_MODULES is empty

        # sanitise — About sanitise (after: database)
        # in one transaction
        # rm -rf / # stays a comment
        # sql: UPDATE ir_cron SET active = false;
        #      UPDATE ir_mail_server
        #        SET active = false;
        ");
    }

    #[test]
    fn modes_are_octal_for_machines() {
        let json = serde_json::to_value(restore()).unwrap();
        assert_eq!(
            json["nodes"][0]["steps"][0],
            serde_json::json!({"kind": "file", "value": {"path": "/srv/demo/.env", "mode": "0600"}})
        );
    }
}
