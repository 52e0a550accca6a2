//! The files of a stack, rendered from templates.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};
use minijinja::{Environment, UndefinedBehavior, Value, context};

use super::mark::marked;
use super::reads::Reads;
use crate::error::{Place, Source};
use crate::stack::{Project, Stack, Variable, Variables, context_in_clear, context_of_variables};
use crate::template::bounds::{FUEL, Output, SOURCE, bounded, too_long};
use crate::template::{RenderError, filters};

/// The templates of the repository's `templates/` folder.
const BUILT_IN: [(&str, &str); 9] = [
    (
        "compose/services.yaml.j2",
        include_str!("../../templates/compose/services.yaml.j2"),
    ),
    (
        "compose/base.yaml.j2",
        include_str!("../../templates/compose/base.yaml.j2"),
    ),
    (
        "compose/ports.yaml.j2",
        include_str!("../../templates/compose/ports.yaml.j2"),
    ),
    (
        "compose/restore-ssh.yaml.j2",
        include_str!("../../templates/compose/restore-ssh.yaml.j2"),
    ),
    (
        "compose/dev-mounts.yaml.j2",
        include_str!("../../templates/compose/dev-mounts.yaml.j2"),
    ),
    ("env.j2", include_str!("../../templates/env.j2")),
    ("odoo.conf.j2", include_str!("../../templates/odoo.conf.j2")),
    ("odoo/settings.j2", include_str!("../../templates/odoo/settings.j2")),
    ("coolify.yml.j2", include_str!("../../templates/coolify.yml.j2")),
];

/// A rendered file that is still to be written.
#[derive(Debug, Clone)]
pub struct File {
    /// Where it belongs.
    pub path: Utf8PathBuf,
    /// What stands in it; may hold secrets if `mode` lets only the owner read.
    pub contents: String,
    /// Its permission bits.
    pub mode: u32,
}

/// Renders everything that a stack needs on its host: overlays, merged variables, `odoo.conf`; then its `files`.
///
/// The project's own templates lie in `templates`, which need not exist; its files in `root`. The calling thread waits for
/// as long as a minute, if a template does not come to an end.
///
/// # Errors
/// A template that is missing, does not parse, does not end, speaks of what is not there, or renders a compose file that
/// is no YAML. Nothing is written by this.
pub fn render(stack: &Stack, project: &Project) -> Result<Vec<File>, RenderError> {
    let current = Arc::new(Mutex::new(String::new()));
    let (stack, project, at) = (stack.clone(), project.clone(), current.clone());
    let done = bounded(move || Templates::new(&project.templates, at).render(&stack, &project.name, &project.root));
    done.unwrap_or_else(|why| {
        let name = current.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Err(RenderError::Unbounded {
            name,
            message: why.to_string(),
        })
    })
}

/// Templates: a project's own folder over the built-in ones.
#[derive(Debug)]
struct Templates {
    environment: Environment<'static>,
    folder: Utf8PathBuf,
    /// The template that is being rendered.
    current: Arc<Mutex<String>>,
    /// Whether it has rendered too much.
    full: Arc<AtomicBool>,
}

impl Templates {
    /// Templates of a project whose own lie in `folder`.
    fn new(folder: &Utf8Path, current: Arc<Mutex<String>>) -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_keep_trailing_newline(true);
        environment.set_trim_blocks(true);
        environment.set_lstrip_blocks(true);
        environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        filters::add_to(&mut environment);
        environment.set_fuel(Some(FUEL));
        let own = folder.to_owned();
        environment.set_loader(move |name| load(&own, name));
        let full = Arc::new(AtomicBool::new(false));
        let is_full = full.clone();
        environment.set_formatter(move |out, state, value| match is_full.load(Ordering::Relaxed) {
            true => Err(too_long()),
            false => minijinja::escape_formatter(out, state, value),
        });
        Self {
            environment,
            folder: folder.to_owned(),
            current,
            full,
        }
    }

    fn render(&self, stack: &Stack, project: &str, root: &Utf8Path) -> Result<Vec<File>, RenderError> {
        let variables = stack.stated.as_ref().unwrap_or(&stack.variables);
        let open = context(stack, project, variables, context_of_variables(variables));
        let mut files = Vec::new();
        for overlay in &stack.overlays {
            let template = format!("compose/{overlay}.yaml.j2");
            files.push(self.yaml(&template, stack.overlay_path(overlay), &open)?);
        }
        if !stack.overlays.is_empty() {
            let kept = for_env_file(stack, root, &files);
            let closed = context(stack, project, &kept, context_in_clear(&kept));
            files.push(self.file("env.j2", stack.paths.env_file(), 0o600, &closed)?);
            files.push(self.file("odoo.conf.j2", stack.paths.odoo_conf(), 0o644, &open)?);
        }
        for (path, template) in &stack.files {
            files.push(self.yaml(template, root.join(path), &open)?);
        }
        for file in &mut files {
            file.contents = marked(std::mem::take(&mut file.contents));
        }
        Ok(files)
    }

    fn file(&self, name: &str, path: Utf8PathBuf, mode: u32, context: &Value) -> Result<File, RenderError> {
        name.clone_into(&mut self.current.lock().unwrap_or_else(PoisonError::into_inner));
        let template = self
            .environment
            .get_template(name)
            .map_err(|error| self.explain(name, &error))?;
        let mut output = Output::new(&self.full);
        let rendered = template.render_captured_to(context, &mut output);
        rendered.map_err(|error| self.explain(name, &error))?;
        if self.full.load(Ordering::Relaxed) {
            return Err(self.explain(name, &too_long()));
        }
        let contents = output.into_text();
        Ok(File { path, contents, mode })
    }

    /// A file that must be YAML, whatever a project's own template makes of it.
    fn yaml(&self, name: &str, path: Utf8PathBuf, context: &Value) -> Result<File, RenderError> {
        let file = self.file(name, path, 0o644, context)?;
        if let Err(error) = serde_yaml::from_str::<serde_yaml::Value>(&file.contents) {
            let place = error.location().map(|location| {
                Box::new(Place {
                    source: Source {
                        path: format!("{name} (rendered)").into(),
                        text: Arc::from(file.contents.as_str()),
                    },
                    span: location.index()..location.index(),
                    label: String::new(),
                })
            });
            return Err(RenderError::NotYaml {
                name: name.to_owned(),
                message: error.to_string(),
                place,
            });
        }
        Ok(file)
    }

    /// The error with the template's own text, which may be another than the one asked for (an import).
    fn explain(&self, name: &str, error: &minijinja::Error) -> RenderError {
        if error.kind() == minijinja::ErrorKind::TemplateNotFound {
            let names = BUILT_IN.iter().map(|(name, _)| *name);
            return RenderError::NoTemplate {
                name: name.to_owned(),
                folder: self.folder.clone(),
                hint: crate::suggest::hint(name, names),
            };
        }
        let error = innermost(error);
        let name = error.name().unwrap_or(name);
        let own = self.folder.join(name);
        let text = load(&self.folder, name).ok().flatten().unwrap_or_default();
        let path = if own.is_file() {
            own
        } else {
            format!("{name} (built in)").into()
        };
        RenderError::in_file(
            error,
            Source {
                path,
                text: text.into(),
            },
        )
    }
}

fn context(stack: &Stack, project: &str, variables: &Variables, env: Value) -> Value {
    let secrets: Vec<&str> = variables
        .iter()
        .filter(|(_, variable)| is_secret(variable))
        .map(|(name, _)| name)
        .collect();
    context! { stack => stack.facts(), env => env, secrets => secrets, project => context! { name => project } }
}

fn is_secret(variable: &Variable) -> bool {
    matches!(variable.value, crate::stack::Value::Secret(_))
}

/// The variables that the env file for compose holds: of the secrets those alone that a compose file reads, for the file
/// stays on the host. All others are given to compose in its environment.
fn for_env_file(stack: &Stack, root: &Utf8Path, overlays: &[File]) -> Variables {
    let env_file = stack.paths.env_file();
    let mut reads = Reads::default();
    for overlay in overlays {
        reads.add(&overlay.contents, &env_file);
    }
    for path in stack
        .compose_files()
        .iter()
        .filter(|path| !overlays.iter().any(|file| file.path == **path))
    {
        // On another host it is that of the same checkout.
        let here = path
            .strip_prefix(&stack.checkout)
            .map_or_else(|_| path.clone(), |path| root.join(path));
        if let Ok(Some(text)) = read(&here) {
            reads.add(&text, &env_file);
        }
    }
    stack
        .variables
        .only(|name, variable| !is_secret(variable) || reads.holds(name))
}

/// The error within an included template: that of the including one only says that there is one.
fn innermost(error: &minijinja::Error) -> &minijinja::Error {
    let mut inner = error;
    while inner.kind() == minijinja::ErrorKind::BadInclude
        && let Some(next) = std::error::Error::source(inner).and_then(|source| source.downcast_ref())
    {
        inner = next;
    }
    inner
}

/// A template's text: the project's own, else the built-in one. A name cannot lead out of the folder.
fn load(folder: &Utf8Path, name: &str) -> Result<Option<String>, minijinja::Error> {
    let leads_out = Utf8Path::new(name)
        .components()
        .any(|part| !matches!(part, camino::Utf8Component::Normal(_)));
    if leads_out {
        return Ok(None);
    }
    let built_in = || BUILT_IN.iter().find(|(built_in, _)| *built_in == name);
    Ok(match read(&folder.join(name))? {
        Some(own) => Some(own),
        None => built_in().map(|(_, text)| (*text).to_owned()),
    })
}

/// A file of a measured size; none if there is none.
fn read(path: &Utf8Path) -> Result<Option<String>, minijinja::Error> {
    let refused = |why: String| minijinja::Error::new(minijinja::ErrorKind::InvalidOperation, why);
    // A pipe or a device might never come to an end.
    match std::fs::metadata(path) {
        Ok(found) if !found.is_file() => return Err(refused(format!("{path} is no file"))),
        Ok(found) if found.len() > SOURCE as u64 => {
            return Err(refused(format!("{path} has more than {} KiB", SOURCE >> 10)));
        }
        _ => {}
    }
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(refused(format!("cannot read {path}")).with_source(error)),
    }
}
